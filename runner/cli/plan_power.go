package cli

import (
	"context"
	"errors"

	"headroom/reports/compare"
	"headroom/runner/workspace"
)

// planPower describes the differences that a sweep can show, estimated from its finished runs.
// If Known is false, every other member is 0.
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

// powerOf estimates the power from the workspace's runs of a sweep, as the report does.
func (a *app) powerOf(ctx context.Context, sweep string) (planPower, error) {
	unknown := planPower{More: []compare.Shown{}, sentence: "The differences that it can show are not known yet. The estimate needs finished runs at k = 1 and another k, with two or more seeds that did not collapse."}
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
	in, err := compare.LoadScores(ctx, s, sweep)
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
