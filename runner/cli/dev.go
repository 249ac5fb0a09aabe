package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"headroom/internal/nouns"
	"headroom/metrics/event"
	"headroom/metrics/store"
)

// devStatus is the result of a run's evaluations on dev data so far.
type devStatus struct {
	Measure string      `json:"measure"`
	Step    int         `json:"step"` // of the last evaluation
	Value   event.Value `json:"value"`
	// Best and BestStep are the best value and its step, the earliest of equal ones; null
	// if no evaluation has a value.
	Best     *event.Value `json:"best"`
	BestStep *int         `json:"best_step"`
}

// add adds the next evaluation.
func (d *devStatus) add(step int, value event.Value) {
	d.Step, d.Value = step, value
	if value.NonFinite() == "" && (d.Best == nil || value > *d.Best) {
		d.Best, d.BestStep = &value, &step
	}
}

func (d *devStatus) String() string {
	if d == nil {
		return "-"
	}
	text := d.Measure + " no value"
	if d.Value.NonFinite() == "" {
		text = fmt.Sprintf("%s %.4f", d.Measure, float64(d.Value))
	}
	text += fmt.Sprintf(" @%d", d.Step)
	if d.Best != nil && *d.BestStep != d.Step {
		text += fmt.Sprintf(", best %.4f @%d", float64(*d.Best), *d.BestStep)
	}
	return text
}

// readDev reads a run's evaluations during training from the store, nil if there
// are none.
func readDev(ctx context.Context, s *store.Store, r store.Run) (*devStatus, error) {
	var c struct {
		Evaluate struct {
			During   []string `json:"during"`
			Measures []string `json:"measures"`
		} `json:"evaluate"`
	}
	if json.Unmarshal(r.Config, &c) != nil || len(c.Evaluate.During) == 0 || len(c.Evaluate.Measures) == 0 {
		return nil, nil
	}
	name := event.DevSeries("", c.Evaluate.Measures[0])
	all, err := s.Series(ctx, r.Run, name)
	if err != nil {
		return nil, err
	}
	curve, known := all[name]
	if !known {
		return nil, nil
	}
	d := &devStatus{Measure: c.Evaluate.Measures[0]}
	for i, step := range curve.Steps {
		d.add(step, event.Value(curve.Values[i]))
	}
	return d, nil
}

// devInfo holds the evaluations on dev data in a run's logs.
type devInfo struct {
	measured []event.Measured // those that count, by step
	selected *event.Selected
	// The seconds of evaluations and of steps in all attempts, repeated ones included.
	seconds, steps float64
}

// dropFrom drops the evaluations that an attempt beginning at a step repeats.
func (d *devInfo) dropFrom(from int) {
	d.measured = slices.DeleteFunc(d.measured, func(m event.Measured) bool { return !m.SurvivesResume(from) })
}

func (d *devInfo) add(m event.Measured) {
	d.seconds += m.Seconds
	d.measured = append(slices.DeleteFunc(d.measured, func(old event.Measured) bool { return old.Step == m.Step }), m)
	slices.SortFunc(d.measured, func(a, b event.Measured) int { return a.Step - b.Step })
}

// status is nil if nothing was evaluated.
func (d *devInfo) status() *devStatus {
	if len(d.measured) == 0 {
		return nil
	}
	s := &devStatus{}
	for _, m := range d.measured {
		s.Measure = m.Measure
		s.add(m.Step, m.Value)
	}
	return s
}

// shownMeasured is the number of evaluations that show prints; --json has all.
const shownMeasured = 10

func (a *app) printDev(r runInfo) error {
	d := r.dev
	if len(d.measured) == 0 {
		return nil
	}
	text := fmt.Sprintf("%s: %s; %s in %.1f s", "\nDev data during training", d.status(), nouns.Count(len(d.measured), "evaluation"), d.seconds)
	if d.steps > 0 {
		text += fmt.Sprintf(", %.0f %% of the %.1f s that the training steps took", 100*d.seconds/d.steps, d.steps)
	}
	fmt.Fprintln(a.stdout, text)
	if s := d.selected; s != nil {
		value := "no step has a value"
		if s.Value.NonFinite() == "" {
			value = fmt.Sprintf("%s %.4f", s.Measure, float64(s.Value))
		}
		fmt.Fprintf(a.stdout, "selected: the model of step %d (%s)\n", s.Step, value)
	}
	rows := [][]string{{"step", "collection", "queries", d.measured[0].Measure, "active q", "active d", "seconds"}}
	shown := d.measured[max(0, len(d.measured)-shownMeasured):]
	for _, m := range shown {
		for _, c := range m.Collections {
			row := []string{strconv.Itoa(m.Step), c.Dataset, strconv.Itoa(c.Queries)}
			if c.Refused != "" {
				rows = append(rows, append(row, "-", "-", "-", "refused: "+c.Refused))
				continue
			}
			rows = append(rows, append(row, fmt.Sprintf("%.4f", float64(c.Measures[m.Measure])), fmt.Sprintf("%.1f", float64(c.ActiveQuery)),
				fmt.Sprintf("%.1f", float64(c.ActiveDocument)), fmt.Sprintf("%.2f", c.Seconds.Encode+c.Seconds.Index+c.Seconds.Search)))
		}
	}
	if err := a.table(rows); err != nil {
		return err
	}
	if hidden := len(d.measured) - len(shown); hidden > 0 {
		fmt.Fprintf(a.stdout, "(and %s before; --json has all)\n", nouns.Count(hidden, "evaluation"))
	}
	return nil
}
