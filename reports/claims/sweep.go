package claims

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"headroom/data/groups"
	"headroom/internal/nouns"
	"headroom/metrics/stats"
	"headroom/reports/compare"
	"headroom/sweeps"
)

// Sweep holds the results by which claims about runs are judged.
type Sweep struct {
	Input *compare.Input
	// Configs are the runs' configurations by id.
	Configs map[string]sweeps.RunConfig
	// Labels are the names in Input of the collections in the sweep's file, by reference.
	Labels map[string]string
}

// JudgeSweep judges claims about a sweep's runs, in their order. The tests of all claims are
// one family. It adds the runs' results on groups of collections to s.Input.
func JudgeSweep(list []Claim, s Sweep) ([]Judgement, error) {
	for _, c := range list {
		if labels, missing := s.labels(groups.Members(c.On)); len(labels) > 0 && len(missing) == 0 {
			compare.Pool(s.Input, c.On, labels)
		}
	}
	comparison, err := compare.Compare(s.Input)
	if err != nil {
		return nil, err
	}
	j := &judge{Sweep: s, comparison: comparison}
	drafts := make([]draft, len(list))
	for i, c := range list {
		if drafts[i], err = j.draft(c); err != nil {
			return nil, fmt.Errorf("judge claim %q: %w", c.ID, err)
		}
	}
	return settle(drafts), nil
}

// judge judges claims about one sweep.
type judge struct {
	Sweep
	comparison *compare.Comparison
}

// draft is a judgement before the correction for the number of tests.
type draft struct {
	Judgement
	p float64 // of the deciding pair; NaN if there is no test
	// why is the evidence, which comes after the verdict's reason.
	why string
}

// settle corrects the p values of the claims' tests and turns OK into OKish if the
// corrected test does not agree.
func settle(drafts []draft) []Judgement {
	var family []float64
	for _, d := range drafts {
		if !math.IsNaN(d.p) {
			family = append(family, d.p)
		}
	}
	adjusted := stats.Holm(family)
	out := make([]Judgement, len(drafts))
	for i, d := range drafts {
		if !math.IsNaN(d.p) {
			p := adjusted[0]
			adjusted = adjusted[1:]
			d.P = &p
			if d.Verdict == OK && !(p <= 1-compare.Level) {
				d.Verdict, d.Why = OKish, "in this direction; corrected for the number of claims the test shows no difference"
			}
			d.why += fmt.Sprintf("; p after Holm over %s %s", nouns.Count(len(family), "claim"), compare.PText(p))
		}
		if d.why != "" {
			d.Why += ": " + strings.TrimPrefix(d.why, "; ")
		}
		out[i] = d.Judgement
	}
	return out
}

// labels returns the sweep's names of collections; missing are collections that it does not measure.
func (s Sweep) labels(references []string) (labels, missing []string) {
	for _, reference := range references {
		if label, ok := s.label(reference); ok {
			labels = append(labels, label)
		} else {
			missing = append(missing, reference)
		}
	}
	return labels, missing
}

// label is the sweep's name of a collection; false if nothing was measured on it.
func (s Sweep) label(reference string) (string, bool) {
	label, ok := s.Labels[reference]
	if !ok {
		label = reference
	}
	for _, r := range s.Input.Runs {
		if r.Evaluation(label, "") != nil {
			return label, true
		}
	}
	return label, false
}

// Chosen reports whether points choose a run.
func (s Sweep) Chosen(p Points, r *compare.Run) bool {
	config, ok := s.Configs[r.ID]
	return ok && p.Match(config)
}

func (j *judge) chosen(p Points) func(*compare.Run) bool {
	return func(r *compare.Run) bool { return j.Chosen(p, r) }
}

func (j *judge) draft(c Claim) (draft, error) {
	none := func(format string, args ...any) (draft, error) {
		d := draft{Judgement: c.Judgement(NotRun, format, args...), p: math.NaN()}
		if c.Kind == Value && c.Value == nil {
			d.Verdict, d.Why = Unknown, "nobody has entered the published number; "+d.Why
		}
		return d, nil
	}
	if c.Kind == Vectors {
		return none("it is about a model, not about a sweep's runs: headroom claims --model MODEL")
	}
	points := j.count(j.chosen(c.Points))
	if points == 0 {
		return none("the sweep has no run of %q", c.Points.Expression)
	}
	if c.Kind == Collapses {
		return j.collapses(c), nil
	}
	if c.Against.Expression != "" {
		isPoint, isOther := j.chosen(c.Points), j.chosen(c.Against)
		if j.count(isOther) == 0 {
			return none("the sweep has no run of %q", c.Against.Expression)
		}
		if n := j.count(func(r *compare.Run) bool { return isPoint(r) && isOther(r) }); n > 0 {
			return none("points and against both choose %s: a run is not compared with itself", nouns.Count(n, "run"))
		}
	}
	q := compare.Question{Points: j.chosen(c.Points), Dataset: c.On, Measure: c.Measure}
	if c.At != nil {
		by, err := c.At.compareCost()
		if err != nil {
			return draft{}, err
		}
		q.At = &compare.Budget{By: by, Amount: c.At.Value}
	}
	if members := groups.Members(c.On); members != nil {
		if _, missing := j.labels(members); len(missing) > 0 {
			return none("%s: the sweep was not measured on %d of its %d collections: %s", c.On, len(missing), len(members), strings.Join(missing, ", "))
		}
	} else {
		label, ok := j.label(c.On)
		if !ok {
			return none("the sweep was not measured on %s", c.On)
		}
		q.Dataset = label
	}
	if c.Kind == Value {
		return j.value(c, q), nil
	}
	q.Against, q.Free = j.chosen(c.Against), c.Points.DifferingKeys(c.Against.Filter)
	return j.differs(c, q)
}

// compareCost is the cost as a type of package compare.
func (c Cost) compareCost() (compare.Cost, error) {
	switch c.Name {
	case "flops":
		return compare.Flops, nil
	case "active_document":
		return compare.ActiveDocument, nil
	}
	return 0, errors.New("unknown cost " + c.Name)
}

func (j *judge) count(chosen func(*compare.Run) bool) int {
	n := 0
	for _, r := range j.comparison.Runs {
		if chosen(r) {
			n++
		}
	}
	return n
}

// collapses compares the share of collapsed runs with the claimed share.
func (j *judge) collapses(c Claim) draft {
	chosen := j.chosen(c.Points)
	n, of, open := 0, 0, 0
	seeds, kinds := map[int64]bool{}, map[string]int{}
	for _, r := range j.comparison.Runs {
		switch {
		case !chosen(r):
		case !r.Finished() || r.Verdict == "":
			open++
		default:
			of++
			seeds[r.Seed] = true
			if r.Collapsed() {
				n++
				kinds[r.Verdict]++
			}
		}
	}
	d := draft{p: math.NaN()}
	if of == 0 {
		d.Judgement = c.Judgement(NotRun, "none of %s of %q has finished", nouns.Count(open, "run"), c.Points.Expression)
		return d
	}
	share, interval := float64(n)/float64(of), stats.Binomial(n, of, compare.Level)
	switch {
	case share < c.Share:
		d.Judgement = c.Judgement(Fail, "fewer runs collapsed than %g %%", 100*c.Share)
	case len(seeds) < 2:
		d.Judgement = c.Judgement(OKish, "of one seed alone")
	default:
		d.Judgement = c.Judgement(OK, "at least %g %% of the runs collapsed", 100*c.Share)
	}
	d.Observed, d.Interval, d.Seeds = Figures{share}, &[2]float64{interval.Low, interval.High}, len(seeds)
	d.why = fmt.Sprintf("%d of %s%s (a run's chance to collapse: %.0f to %.0f %%, exact 95 %% interval; %s)",
		n, nouns.Count(of, "run"), kindsText(kinds), 100*interval.Low, 100*interval.High, nouns.Count(len(seeds), "seed")) + unfinishedRuns(open)
	return d
}

func kindsText(kinds map[string]int) string {
	var parts []string
	for kind, n := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s", n, kind))
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	return ", " + strings.Join(parts, ", ")
}

// value compares the mean over seeds with the published number.
func (j *judge) value(c Claim, q compare.Question) draft {
	scores := j.comparison.Scores(q)
	d := draft{p: math.NaN()}
	worst, far := -1, -1.0
	var texts []string
	verdict := OK
	for i, s := range scores {
		texts = append(texts, scoreText(s))
		if len(s.Values) == 0 {
			if s.Collapsed.N > 0 {
				verdict = Fail
			} else if verdict == OK {
				verdict = OKish
			}
			continue
		}
		distance := 0.0
		if c.Value != nil {
			distance = math.Abs(stats.Mean(s.Values) - *c.Value)
		}
		if distance > far {
			worst, far = i, distance
		}
		if (len(s.Values) < 2 || s.Collapsed.N > 0) && verdict == OK {
			verdict = OKish
		}
	}
	d.why = strings.Join(texts, "; ")
	if worst >= 0 {
		s := scores[worst]
		d.Observed, d.Queries, d.Seeds = Figures{stats.Mean(s.Values)}, s.Queries, len(s.Values)
		if i, err := stats.TInterval(s.Values, compare.Level); err == nil && len(s.Values) > 1 {
			d.Interval = &[2]float64{i.Low, i.High}
		}
	}
	why := ""
	switch {
	case c.Value == nil:
		verdict, why = Unknown, "nobody has entered the published number"
	case worst < 0 && verdict != Fail:
		verdict, why = NotRun, "it was not measured"
	case c.beyond(far) || verdict == Fail:
		verdict, why = Fail, fmt.Sprintf("not within %g of %g", c.Tolerance, *c.Value)
	case verdict == OKish:
		why = fmt.Sprintf("within %g of %g, by one seed, beside collapsed runs, or not measured everywhere", c.Tolerance, *c.Value)
	default:
		why = fmt.Sprintf("within %g of %g", c.Tolerance, *c.Value)
	}
	figures := d.Judgement
	d.Judgement = c.Judgement(verdict, "%s", why)
	d.Observed, d.Interval, d.Queries, d.Seeds = figures.Observed, figures.Interval, figures.Queries, figures.Seeds
	return d
}

func scoreText(s compare.Scores) string {
	text := s.Why
	if len(s.Values) > 0 {
		sample := stats.Summarize(s.Values)
		text = compare.Score(sample.Mean)
		if sample.N > 1 {
			text += fmt.Sprintf(" (sd %s over %s, %d queries)", compare.Score(sample.SD), nouns.Count(sample.N, "seed"), s.Queries)
		} else {
			text += fmt.Sprintf(" (1 seed, %d queries)", s.Queries)
		}
		if s.Collapsed.N > 0 {
			text += fmt.Sprintf(", beside %d of %s that collapsed", s.Collapsed.N, nouns.Count(s.Collapsed.Of, "run"))
		}
	}
	if s.Way != "" {
		text += ", " + s.Way
	}
	if s.Where != "" {
		text = s.Where + " " + text
	}
	return text + unfinishedRuns(s.Open)
}

func unfinishedRuns(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %s not finished", nouns.Count(n, "run"))
}
