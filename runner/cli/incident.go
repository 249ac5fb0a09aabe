package cli

import (
	"context"
	"errors"

	"headroom/metrics/stability"
	"headroom/reports/compare"
	"headroom/reports/incident"
	"headroom/runner/workspace"
)

// incidentDocument is the JSON document of show --incident.
type incidentDocument struct {
	Schema int `json:"schema"`
	incident.Page
}

// printIncident shows how a run collapsed, as Markdown.
func (a *app) printIncident(ctx context.Context, w workspace.Workspace, r runInfo) error {
	run := incidentRun(r)
	if err := incident.Check(run); err != nil {
		return err
	}
	healthy, err := a.healthyRuns(ctx, w)
	if err != nil {
		return err
	}
	page, err := incident.PageOf(run, healthy)
	if err != nil {
		return err
	}
	if a.global.json {
		return a.printJSON(incidentDocument{schema, page})
	}
	return page.Markdown(a.stdout)
}

// mostIncidents is the greatest number of incidents in a report.
const mostIncidents = 50

// incidents describes how the runs of a comparison collapsed or recovered, in its order. untold
// is the number of runs beyond the limit. An unreadable log costs its run's page and a note.
func (a *app) incidents(ctx context.Context, w workspace.Workspace, c *compare.Comparison) (pages []incident.Page, untold int, err error) {
	var healthy []incident.Other
	for _, r := range c.Runs {
		if !r.Finished() || !r.Collapsed() && r.Recovered == "" {
			continue
		}
		if len(pages) == mostIncidents {
			untold++
			continue
		}
		if healthy == nil {
			if healthy, err = a.healthyRuns(ctx, w); err != nil {
				return nil, 0, err
			}
		}
		info, err := a.readRun(w, runRef{ID: r.ID, Label: r.Label})
		if err == nil {
			var page incident.Page
			if page, err = incident.PageOf(incidentRun(info), healthy); err == nil {
				pages = append(pages, page)
			}
		}
		if err != nil {
			a.note("note: the report does not tell how %s collapsed: %v", r.Label, err)
		}
	}
	return pages, untold, nil
}

func incidentRun(r runInfo) incident.Run {
	return incident.Run{ID: r.ref.ID, Label: r.ref.Label, Folder: r.folder, Verdict: r.verdict, Episodes: r.episodes, Config: r.config}
}

// healthyRuns returns the workspace's runs that never collapsed.
func (a *app) healthyRuns(ctx context.Context, w workspace.Workspace) (list []incident.Other, err error) {
	s, err := a.openStore(ctx, w)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	runs, err := s.AllRuns(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if r.Verdict != stability.Healthy || r.Recovered != "" {
			continue
		}
		config, _, err := w.ReadRun(r.Run)
		if err != nil {
			a.note("note: %s is not compared with: %v", r.Label, err)
			continue
		}
		list = append(list, incident.Other{ID: r.Run, Label: r.Label, Config: config})
	}
	return list, nil
}
