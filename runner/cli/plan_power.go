package cli

import (
	"context"
	"errors"

	"headroom/reports/compare"
	"headroom/runner/workspace"
)

// planPower is what the finished runs of a sweep say of the differences that it can show.
// Every member but Known is 0 where nothing is known.
type planPower struct {
	Known    bool            `json:"known"`
	Measure  string          `json:"measure"`
	Dataset  string          `json:"dataset"`
	Seeds    int             `json:"seeds"`
	Queries  int             `json:"queries"`
	Tests    int             `json:"tests"`
	Shown    compare.Shown   `json:"shown"`
	More     []compare.Shown `json:"more"`
	sentence string
}

// powerOf reckons with the runs of a sweep that the workspace has, as the report does.
func (a *app) powerOf(ctx context.Context, sweep string) (planPower, error) {
	unknown := planPower{More: []compare.Shown{}, sentence: "What it can show is not known yet: that takes finished runs at k = 1 and another k, with two seeds or more that did not collapse."}
	w, err := a.openWorkspace()
	if errors.Is(err, workspace.ErrNone) {
		return unknown, nil
	}
	if err != nil {
		return unknown, err
	}
	s, err := a.openStore(ctx, w)
	if err != nil {
		return unknown, err
	}
	defer s.Close()
	in, err := compare.Load(ctx, s, sweep)
	if errors.Is(err, compare.ErrNoSweep) {
		return unknown, nil
	}
	if err != nil {
		return unknown, err
	}
	c, err := compare.Compare(in)
	if err != nil {
		return unknown, err
	}
	p, ok := c.Power()
	if !ok {
		return unknown, nil
	}
	return planPower{Known: true, Measure: p.Measure, Dataset: p.Dataset, Seeds: p.Seeds, Queries: p.Queries, Tests: p.Tests,
		Shown: p.Shown, More: append(unknown.More, p.More...), sentence: p.Sentence()}, nil
}
