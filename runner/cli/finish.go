package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"headroom/metrics/store"
	"headroom/runner/pool"
	"headroom/runner/workspace"
)

// endLine is the last line of `run --json`.
type endLine struct {
	Type        string      `json:"type"` // "end"
	Schema      int         `json:"schema"`
	Sweep       string      `json:"sweep"`
	Revision    string      `json:"revision"`
	Done        int         `json:"done"` // jobs of this invocation
	Failed      int         `json:"failed"`
	Interrupted int         `json:"interrupted"`
	Blocked     int         `json:"blocked"`
	Runs        []statusRun `json:"runs"`
}

// finish folds what was done into the store, shows the sweep as it stands, and
// returns runErr, which decides the exit code.
func (a *app) finish(ctx context.Context, w workspace.Workspace, m workspace.Manifest, result pool.Result, runErr error) error {
	s, err := a.openStore(ctx, w)
	if err != nil {
		return errors.Join(runErr, err)
	}
	defer s.Close()
	runs, err := a.sweepStatus(ctx, w, s, m.Sweep)
	if err != nil {
		return errors.Join(runErr, err)
	}
	if a.global.json {
		err = a.printLine(endLine{
			Type: "end", Schema: schema, Sweep: m.Sweep, Revision: m.Revision,
			Done: result.Count("", pool.Done), Failed: result.Count("", pool.Failed),
			Interrupted: result.Count("", pool.Interrupted), Blocked: result.Count("", pool.Blocked),
			Runs: runs,
		})
	} else {
		err = a.printSummary(ctx, s, m.Sweep, runs)
	}
	return errors.Join(runErr, err)
}

// printSummary prints a row for each run with the first measure of each
// collection, and the baselines below.
func (a *app) printSummary(ctx context.Context, s *store.Store, sweep string, runs []statusRun) error {
	scores, err := s.Query(ctx, "SELECT run, dataset, measure, value FROM scores WHERE measure = 'nDCG@10' AND run IN (SELECT run FROM runs WHERE sweep = '"+sweep+"') ORDER BY dataset")
	if err != nil {
		return err
	}
	baselines, err := s.Query(ctx, "SELECT name, backbone, dataset, value FROM baselines WHERE measure = 'nDCG@10' AND sweep = '"+sweep+"' ORDER BY name, backbone, dataset")
	if err != nil {
		return err
	}
	var datasets []string
	values := map[[2]string]string{}
	put := func(who, dataset string, value any) {
		if !slices.Contains(datasets, dataset) {
			datasets = append(datasets, dataset)
		}
		values[[2]string{who, dataset}] = "-"
		if value != nil {
			values[[2]string{who, dataset}] = fmt.Sprintf("%.4f", number(value))
		}
	}
	for _, row := range scores.Rows {
		put(text(row[0]), text(row[1]), row[3])
	}
	var names []string
	for _, row := range baselines.Rows {
		name := strings.TrimSpace(text(row[0]) + " " + text(row[1]))
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		put("baseline "+name, text(row[2]), row[3])
	}
	head := []string{"run", "state", "verdict"}
	for _, dataset := range datasets {
		head = append(head, "nDCG@10 "+dataset)
	}
	rows := [][]string{head}
	line := func(key string, first ...string) {
		row := first
		for _, dataset := range datasets {
			value, ok := values[[2]string{key, dataset}]
			if !ok {
				value = "-"
			}
			row = append(row, value)
		}
		rows = append(rows, row)
	}
	for _, r := range runs {
		verdict := "-"
		if r.Verdict != nil {
			verdict = *r.Verdict
		}
		line(r.ID, r.Label, r.State, verdict)
	}
	for _, name := range names {
		line("baseline "+name, name, "baseline", "-")
	}
	return a.table(rows)
}
