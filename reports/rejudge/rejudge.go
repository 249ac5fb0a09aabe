// Package rejudge judges the recorded series of runs again, by the same detectors with other
// thresholds. It reads logs and writes nothing.
package rejudge

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/sweeps"
)

// Run is a finished run, from its files.
type Run struct {
	ID, Label string
	// Folder has the logs.
	Folder string
	// Thresholds are those of its configuration.
	Thresholds stability.Thresholds
	// Kin is equal for runs that may be compared: runs with the same backbone, the same data and
	// the same number of steps.
	Kin string
	// Episodes and Verdict are the stored ones.
	Episodes []event.Episode
	Verdict  string
	Chain    []string
}

// Judgement is a run judged again.
type Judgement struct {
	ID       string          `json:"id"`
	Label    string          `json:"label"`
	Stored   string          `json:"stored"`
	Judged   string          `json:"judged"`
	Flipped  bool            `json:"flipped"`
	Episodes []event.Episode `json:"episodes"`
	// Siblings compares the run's accuracy at its end with that of its healthy siblings; nil
	// if there are too few, or if none of them ranks better than chance.
	Siblings *Comparison `json:"siblings"`
	// Why is the reason of a flipped verdict.
	Why string `json:"-"`
	// Notes name what the judgement lacks.
	Notes []string `json:"-"`
}

// Row holds the verdicts with one threshold at one value.
type Row struct {
	Key      string         `json:"key"`
	Value    float64        `json:"value"`
	Verdicts map[string]int `json:"verdicts"`
	// Flipped are the runs whose verdict differs from the stored one.
	Flipped []string `json:"flipped"`
}

// evidence holds the records by which a run is judged.
type evidence struct {
	run  stability.Run
	own  stability.Thresholds // with the settings in place
	old  Run
	now  stability.Result
	said event.Judged
}

// Judge judges runs with their own thresholds, in which settings replace some. With sensitivity
// it also varies each threshold on which verdicts depend, see sweeps.Variants. The error is
// sweeps.Faults if a lower threshold would be above its upper one.
func Judge(runs []Run, settings sweeps.Settings, sensitivity bool) ([]Judgement, []Row, error) {
	var faults []error
	var all []evidence
	judgements := []Judgement{}
	for _, old := range runs {
		e, err := read(old)
		if err != nil {
			return nil, nil, fmt.Errorf("judge run %q: %w", old.Label, err)
		}
		if e.own, err = settings.ApplyTo(e.own); err != nil {
			if !slices.ContainsFunc(faults, func(known error) bool { return known.Error() == err.Error() }) {
				faults = append(faults, err)
			}
			continue
		}
		e.now = stability.Judge(e.run, e.own)
		all = append(all, e)
		judgements = append(judgements, e.judgement())
	}
	if len(faults) > 0 {
		return nil, nil, errors.Join(faults...)
	}
	compareSiblings(all, judgements)
	rows := []Row{}
	if sensitivity {
		rows = vary(all)
	}
	return judgements, rows, nil
}

// read reads the records of a run's steps from its logs.
func read(old Run) (evidence, error) {
	e := evidence{old: old, own: old.Thresholds}
	history, err := event.History(old.Folder, int(^uint(0)>>1))
	if err != nil {
		return e, err
	}
	attempts, err := event.Attempts(old.Folder)
	if err != nil {
		return e, err
	}
	var started event.Started
	for _, n := range attempts {
		records, err := event.Read(event.Path(old.Folder, n))
		if err != nil {
			return e, err
		}
		for _, r := range records {
			switch said := r.Event.(type) {
			case event.Started:
				started = said
			case event.Judged:
				e.said = said
			}
		}
	}
	e.run = stability.RunOf(started.Facts, started.Steps, history)
	return e, nil
}

func (e evidence) judgement() Judgement {
	j := Judgement{
		ID: e.old.ID, Label: e.old.Label, Stored: e.old.Verdict, Judged: e.now.Verdict,
		Flipped: e.old.Verdict != e.now.Verdict, Episodes: append([]event.Episode{}, e.now.Episodes...),
	}
	if j.Flipped {
		j.Why = e.why()
	}
	lacks := e.run.MissingSeries(e.own)
	for _, kind := range stability.Collapses() {
		if series := lacks[kind]; len(series) > 0 {
			j.Notes = append(j.Notes, fmt.Sprintf("%s is judged without %s, which the log does not have", kind, strings.Join(series, ", ")))
		}
	}
	if last := e.last(); last+1 < e.run.Steps {
		j.Notes = append(j.Notes, fmt.Sprintf("it ended after step %d of %d: of what would have followed nothing is known", last+1, e.run.Steps))
	}
	if j.Judged == stability.Stalled && e.run.Steps < stability.FirmFrom {
		j.Notes = append(j.Notes, fmt.Sprintf("stalled says little after %d steps: in fewer than %d a model that learns may still be near chance level", e.run.Steps, stability.FirmFrom))
	}
	if older := e.changedDetectors(); older != "" {
		j.Notes = append(j.Notes, older)
	}
	return j
}

// last is the last step in the logs, -1 without any.
func (e evidence) last() int {
	last := -1
	for _, s := range e.run.Series {
		last = max(last, s.Steps[len(s.Steps)-1])
	}
	return last
}

// why describes the episode that gives the new verdict, and the fate of the one that gave the old verdict.
func (e evidence) why() string {
	var parts []string
	if now := verdictEpisode(e.now.Verdict, e.now.Episodes); now != nil {
		parts = append(parts, fmt.Sprintf("%s from step %d: %s", now.Verdict, now.FirstStep, ruleOf(*now)))
	}
	old := verdictEpisode(e.old.Verdict, e.old.Episodes)
	if old == nil {
		return strings.Join(parts, "; ")
	}
	i := slices.IndexFunc(e.now.Episodes, func(n event.Episode) bool {
		return n.Verdict == old.Verdict && n.Evidence.Series == old.Evidence.Series && n.FirstStep <= old.LastStep && n.LastStep >= old.FirstStep
	})
	switch {
	case i < 0:
		parts = append(parts, fmt.Sprintf("%s no longer opens: it stood from step %d (%s)", old.Verdict, old.FirstStep, ruleOf(*old)))
	case !e.now.Episodes[i].Stands:
		parts = append(parts, fmt.Sprintf("%s passes at step %d; it stood from step %d (%s)", old.Verdict, e.now.Episodes[i].LastStep, old.FirstStep, ruleOf(*old)))
	default:
		parts = append(parts, fmt.Sprintf("%s stands too, from step %d", old.Verdict, e.now.Episodes[i].FirstStep))
	}
	return strings.Join(parts, "; ")
}

// ruleOf is a rule with the last value at which it held.
func ruleOf(e event.Episode) string {
	text := e.Evidence.Series + ": " + e.Evidence.Rule
	if n := len(e.Evidence.Observed); n > 0 {
		p := e.Evidence.Observed[n-1]
		text += fmt.Sprintf("; %.4g at step %d", float64(p.Value), p.Step)
	}
	return text
}

// verdictEpisode returns the first episode of a verdict's kind that stands at the end; nil for a healthy run.
func verdictEpisode(verdict string, episodes []event.Episode) *event.Episode {
	for i, e := range episodes {
		if e.Verdict == verdict && e.Stands {
			return &episodes[i]
		}
	}
	return nil
}

// changedDetectors names the detectors that have changed since the run was judged, "" if none has.
func (e evidence) changedDetectors() string {
	versions := e.said.Detectors
	if len(versions) == 0 {
		versions = firstVersions()
	}
	now := stability.Versions()
	var changes []string
	for _, kind := range slices.Sorted(maps.Keys(now)) {
		switch was, known := versions[kind]; {
		case !known:
			changes = append(changes, kind+" is new")
		case was < now[kind]:
			changes = append(changes, fmt.Sprintf("%s was version %d and is %d", kind, was, now[kind]))
		case was > now[kind]:
			changes = append(changes, fmt.Sprintf("%s was version %d, newer than this program's %d", kind, was, now[kind]))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(versions)) {
		if _, known := now[kind]; !known {
			changes = append(changes, kind+" is gone")
		}
	}
	if len(changes) == 0 {
		return ""
	}
	return "it was judged by other detectors: " + strings.Join(changes, ", ")
}

// firstVersions returns the detectors' versions in programs that did not write them into verdicts.
func firstVersions() map[string]int {
	versions := map[string]int{stability.ScaleShock: 1, stability.Dense: 1, stability.Spike: 1}
	for _, kind := range stability.Collapses() {
		versions[kind] = 1
	}
	return versions
}

// vary judges all runs with other values of one threshold after another. It leaves out the rules
// of warnings, on which no verdict depends.
func vary(all []evidence) []Row {
	var own []stability.Thresholds
	for _, e := range all {
		if !slices.ContainsFunc(own, func(th stability.Thresholds) bool { return fmt.Sprint(th) == fmt.Sprint(e.own) }) {
			own = append(own, e.own)
		}
	}
	rows := []Row{}
	for _, v := range sweeps.Variants(stability.Collapses(), own...) {
		row := Row{Key: v.Key, Value: v.Value, Verdicts: map[string]int{}, Flipped: []string{}}
		possible := true
		for _, e := range all {
			th, err := v.Settings.ApplyTo(e.own)
			if err != nil { // a lower threshold would be above its upper one: no such row
				possible = false
				break
			}
			verdict := e.now.WithThresholds(v.Detector, e.run, th).Verdict
			row.Verdicts[verdict]++
			if verdict != e.old.Verdict {
				row.Flipped = append(row.Flipped, e.old.ID)
			}
		}
		if possible {
			rows = append(rows, row)
		}
	}
	return rows
}
