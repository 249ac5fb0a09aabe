package cli

import (
	"context"
	"fmt"
	"slices"

	"headroom/internal/nouns"
	"headroom/metrics/record"
	"headroom/metrics/store"
)

// lackingRuns lists the finished runs of a sweep that were not measured on the present content
// of a collection.
type lackingRuns struct {
	Sweep     string   `json:"sweep"`
	Dataset   string   `json:"dataset"`
	Reference string   `json:"reference"`
	Split     string   `json:"split"`
	Runs      []string `json:"runs"`

	finished int // runs that ask for it
}

func (l lackingRuns) String() string {
	name := l.Dataset
	if l.Split != record.FinalSplit {
		name += "/" + l.Split
	}
	return fmt.Sprintf("%s: %d of %s have no figures of it as it is now; `headroom run` measures them", name, len(l.Runs), nouns.Count(l.finished, "finished run"))
}

// runsWithGaps finds such runs among the given runs of a sweep.
func runsWithGaps(ctx context.Context, s *store.Store, sweep string, runs []store.Run) ([]lackingRuns, error) {
	collections, err := s.Collections(ctx, sweep)
	if err != nil {
		return nil, err
	}
	found := make([]lackingRuns, len(collections))
	for i, c := range collections {
		found[i] = lackingRuns{Sweep: sweep, Dataset: c.Label, Reference: c.Reference, Split: c.Split}
	}
	of, err := s.EvaluationsOfRuns(ctx, store.Scope{Sweep: sweep})
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if r.State != record.StateDone {
			continue
		}
		asked, err := record.AskedReferences(r.Config)
		if err != nil {
			return nil, fmt.Errorf("read run %q: %w", r.Label, err)
		}
		evaluations := of[r.Run]
		for i, c := range collections {
			if !slices.Contains(asked, record.Reference{Reference: c.Reference, Split: c.Split}) {
				continue
			}
			found[i].finished++
			if !slices.ContainsFunc(evaluations, func(e store.Evaluation) bool { return e.Collection == c.Digest && e.Split == c.Split }) {
				found[i].Runs = append(found[i].Runs, r.Run)
			}
		}
	}
	return slices.DeleteFunc(found, func(l lackingRuns) bool { return len(l.Runs) == 0 }), nil
}

// supersededRow is a result on a former content of a collection, or by former measures.
type supersededRow struct {
	Run        string             `json:"run"`
	Label      string             `json:"label"`
	Dataset    string             `json:"dataset"`
	Split      string             `json:"split"`
	Collection string             `json:"collection_digest"`
	Measures   map[string]float64 `json:"measures"`
}

// supersededOf lists the superseded results of some runs of a sweep.
func supersededOf(ctx context.Context, s *store.Store, sweep string, runs []store.Run) ([]supersededRow, error) {
	var rows []supersededRow
	for _, r := range runs {
		evaluations, err := s.Evaluations(ctx, r.Run, store.Scope{Sweep: sweep, Superseded: true})
		if err != nil {
			return nil, err
		}
		for _, e := range evaluations {
			if !e.Current {
				rows = append(rows, supersededRow{Run: r.Run, Label: r.Label, Dataset: e.Dataset, Split: e.Split, Collection: e.Collection, Measures: e.Measures})
			}
		}
	}
	return rows, nil
}

// printSuperseded prints nDCG@10, or else the first measure, of each result.
func (a *app) printSuperseded(rows []supersededRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(a.stdout, "\nno result is superseded")
		return err
	}
	t := scoreTable{values: map[[2]string]string{}}
	var order [][2]string
	for _, r := range rows {
		t.put(r.Run, store.Evaluation{Dataset: r.Dataset, Split: r.Split, Measures: r.Measures})
		if who := [2]string{r.Run, r.Label}; !slices.Contains(order, who) {
			order = append(order, who)
		}
	}
	table := [][]string{append([]string{"superseded"}, t.columns...)}
	for _, who := range order {
		table = append(table, t.row(who[0], who[1]))
	}
	if _, err := fmt.Fprintln(a.stdout); err != nil {
		return err
	}
	return a.table(table)
}
