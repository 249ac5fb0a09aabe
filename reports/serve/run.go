package serve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/internal/plain"
	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/metrics/store"
	"headroom/reports/live"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// runPage is the page of one run.
type runPage struct {
	shown
	Run        *live.Run
	SweepLink  string
	Alerts     []live.Alert
	Evidence   []onset
	Attempts   []store.Attempt
	Config     []sweeps.Change
	Inputs     [][2]string
	Provenance [][2]string
	// MadeFault says why its configuration and inputs cannot be read; "" if they can.
	MadeFault string
	Scores    []scoreRow
	Log       []string
	Panel     panel
	// Incident is the address of the page about its collapse; "" if it has none, or is not judged.
	Incident string
	// Reproduce and Show are commands.
	Reproduce, Show string
	Terms           terms
}

// onset is an episode with the steps around its beginning.
type onset struct {
	event.Episode
	Observed []string
	Steps    []stepRow
	Series   []string
	Link     string // the curves zoomed to it
}

type stepRow struct {
	Step   int
	Inside bool
	Values []string
}

type scoreRow struct {
	live.Figure
	Text string
}

// terms are the greatest weights of a text that a visitor gave.
type terms struct {
	Offered bool
	Why     string // not offered
	Text    string
	Query   bool
	List    []Term
	Most    float64
	Fault   string
}

const (
	// How many steps are shown before and from the first of an episode on.
	stepsBefore, stepsAfter = 3, 9
	shownIncidents          = 8
	shownObserved           = 8
	maxText                 = 2000
	// mostTerms is the greatest number of shown terms, whatever a worker sends.
	mostTerms = 200
	termTime  = 60 * time.Second
)

func (s *Server) run(r *http.Request, base shown) (anyPage, error) {
	return s.runOf(r.Context(), r.PathValue("run"), base)
}

// find finds a run by its id or label, or by a unique beginning of either.
func find(snapshot *live.Snapshot, text string) (found *live.Run, several bool) {
	if r := snapshot.Run(text); r != nil {
		return r, false
	}
	for _, exact := range []bool{true, false} {
		for _, sweep := range snapshot.Sweeps {
			for _, r := range sweep.Runs {
				fits := r.Label == text
				if !exact {
					fits = text != "" && (strings.HasPrefix(r.Run.Run, text) || strings.HasPrefix(r.Label, text))
				}
				if !fits || found != nil && found.Run.Run == r.Run.Run {
					continue
				}
				if found != nil {
					return nil, true
				}
				found = r
			}
		}
		if found != nil {
			return found, false
		}
	}
	return nil, false
}

func (s *Server) runOf(ctx context.Context, id string, base shown) (anyPage, error) {
	run, several := find(base.Snapshot, id)
	if run == nil {
		base.page, base.Code, base.Title = "nothing", http.StatusNotFound, "no such run · headroom"
		text := "There is no run of this id or label in the workspace."
		if several {
			text = "Several runs begin so: give more letters."
		}
		return &message{base, text}, nil
	}
	base.page, base.Title = "run", run.Label+" · headroom"
	base.Live = liveAddress("/api/live", base.V)
	p := &runPage{shown: base, Run: run, SweepLink: base.V.At("/sweeps/"+run.Sweep, "w")}
	p.Alerts = slices.DeleteFunc(slices.Clone(base.Snapshot.Alerts), func(a live.Alert) bool { return a.Run.Run.Run != run.Run.Run || a.Sweep != run.Sweep })
	p.Config = sweeps.Diff(sweeps.Defaults(), run.Config)
	for f, v := range run.Figures {
		p.Scores = append(p.Scores, scoreRow{f, number(f, v)})
	}
	sweep := base.Snapshot.Sweep(run.Sweep)
	slices.SortFunc(p.Scores, func(a, b scoreRow) int {
		place := func(f live.Figure) int {
			if sweep == nil {
				return 0
			}
			return slices.Index(sweep.Figures, f)
		}
		if d := place(a.Figure) - place(b.Figure); d != 0 {
			return d
		}
		return strings.Compare(a.String(), b.String())
	})
	if s.o.Incident != nil && run.Verdict != "" && slices.ContainsFunc(run.Episodes, func(e event.Episode) bool { return e.Severity == event.SeverityCollapse }) {
		p.Incident = base.V.At("/runs/"+run.Run.Run+"/incident", "w")
	}
	p.Show = p.Prefix() + " show " + short(run.Run.Run)
	if sweep != nil {
		p.Reproduce = p.Prefix() + " run " + quote(run.Sweep) + onlyWords(sweep, run)
	}
	err := base.Place.Watcher.Read(func(w workspace.Workspace, st *store.Store) error { return p.read(ctx, w, st) })
	if err != nil && !errors.Is(err, live.ErrClosed) {
		return nil, err
	}
	var curves []drawn
	if run.Attempts > 0 {
		curves = []drawn{{run.Run.Run, run.Label, []*live.Run{run}}}
	}
	p.Panel = s.panel(base, curves, false, usualOf(run))
	s.encodeText(ctx, p)
	return p, nil
}

// usualOf returns the series that a run's page draws by default, with those that detectors
// judge.
func usualOf(r *live.Run) []string {
	usual := []string{"loss", "active/document"}
	for _, e := range r.Episodes {
		if !slices.Contains(usual, e.Evidence.Series) && len(usual) < 4 {
			usual = append(usual, e.Evidence.Series)
		}
	}
	return usual
}

// onlyWords returns the words of a command line that select one run of a sweep.
func onlyWords(s *live.Sweep, r *live.Run) string {
	text := groupExpression(s, r)
	if slices.Contains(s.Keys, "seed") {
		if text != "" {
			text += ", "
		}
		text += "seed=" + strconv.FormatInt(r.Seed, 10)
	}
	if text == "" {
		return ""
	}
	return " --only " + quote(text)
}

// read reads from the workspace what the snapshot does not have.
func (p *runPage) read(ctx context.Context, w workspace.Workspace, st *store.Store) (err error) {
	id := p.Run.Run.Run
	if p.Attempts, err = st.Attempts(ctx, id); err != nil {
		return err
	}
	if _, inputs, err := w.ReadRun(id); err != nil {
		p.MadeFault = plain.Line(err.Error())
	} else {
		p.Inputs = filled([2]string{"weights", inputs.Weights}, [2]string{"tokenizer", inputs.Tokenizer}, [2]string{"data", inputs.Data}, [2]string{"dev data", inputs.During})
	}
	if made, err := w.ReadProvenance(id); err == nil {
		p.Provenance = filled([2]string{"program", made.Executable}, [2]string{"commit", made.Commit}, [2]string{"with changes", yes(made.Dirty)}, [2]string{"Go", made.Go}, [2]string{"SIMD", yes(made.SIMD)},
			[2]string{"system", made.System}, [2]string{"CPU", made.CPU}, [2]string{"devices", strings.Join(made.Devices, ", ")}, [2]string{"driver", made.Driver}, [2]string{"host", made.Host}, [2]string{"revision", made.Revision})
	}
	for i, e := range p.Run.Episodes {
		if i >= shownIncidents {
			break
		}
		one, err := p.onset(ctx, st, e)
		if err != nil {
			return err
		}
		p.Evidence = append(p.Evidence, one)
	}
	p.Log = tailOf(w.Run(id))
	return nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func filled(rows ...[2]string) [][2]string {
	return slices.DeleteFunc(rows, func(r [2]string) bool { return r[1] == "" })
}

// onset returns the steps around the beginning of an episode.
func (p *runPage) onset(ctx context.Context, st *store.Store, e event.Episode) (onset, error) {
	one := onset{Episode: e}
	for i, o := range e.Evidence.Observed {
		if i == shownObserved {
			one.Observed = append(one.Observed, "…")
			break
		}
		one.Observed = append(one.Observed, fmt.Sprintf("%s at step %d", value(float64(o.Value)), o.Step))
	}
	margin := max(20, (e.LastStep-e.FirstStep)/2)
	one.Link = p.V.With2("from", strconv.Itoa(max(0, e.FirstStep-margin)), "to", strconv.Itoa(e.LastStep+margin)) + "#curves"
	for _, name := range []string{e.Evidence.Series, "loss", "grad_norm", "active/query", "active/document"} {
		if !slices.Contains(one.Series, name) {
			one.Series = append(one.Series, name)
		}
	}
	span := store.Span{From: max(0, e.FirstStep-stepsBefore), To: e.FirstStep + stepsAfter}
	rows := map[int][]string{}
	for i, name := range one.Series {
		curve, err := st.Thin(ctx, p.Run.Run.Run, name, span, 1)
		if err != nil {
			return one, err
		}
		put := func(step int, text string) {
			if rows[step] == nil {
				rows[step] = make([]string, len(one.Series))
			}
			rows[step][i] = text
		}
		for j, step := range curve.Steps {
			put(step, value(curve.Values[j]))
		}
		for _, bad := range curve.NonFinite {
			put(bad.Step, bad.Word)
		}
	}
	for i := len(one.Series) - 1; i >= 0; i-- { // a series that this run does not record has no column
		recorded := false
		for _, values := range rows {
			recorded = recorded || values[i] != ""
		}
		if recorded {
			continue
		}
		one.Series = slices.Delete(one.Series, i, i+1)
		for step, values := range rows {
			rows[step] = slices.Delete(values, i, i+1)
		}
	}
	for step := span.From; step < span.To; step++ {
		if values := rows[step]; values != nil {
			one.Steps = append(one.Steps, stepRow{step, step >= e.FirstStep && (e.Stands || step <= e.LastStep), values})
		}
	}
	return one, nil
}

func value(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return event.Value(v).NonFinite()
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

// encodeText shows the terms of a text if a visitor gave one.
func (s *Server) encodeText(ctx context.Context, p *runPage) {
	p.Terms = terms{Offered: s.o.Terms != nil && p.Run.State == record.StateDone && p.Run.Verdict != stability.NonFinite, Text: p.V.get("text"), Query: p.V.get("side") == "query"}
	if !p.Terms.Offered {
		p.Terms.Why = "Vectors of a text can be shown once the run is done and its model is there."
		return
	}
	switch {
	case p.Terms.Text == "":
		return
	case len(p.Terms.Text) > maxText:
		p.Terms.Fault = fmt.Sprintf("the text has %d bytes; at most %d are allowed", len(p.Terms.Text), maxText)
		return
	}
	err := s.inWorker(ctx, termTime, func(ctx context.Context) (err error) {
		p.Terms.List, err = s.o.Terms(ctx, p.Workspace(), p.Run.Run.Run, p.Terms.Text, p.Terms.Query)
		return err
	})
	if err != nil {
		p.Terms.Fault = plain.Line(err.Error())
	}
	p.Terms.List = p.Terms.List[:min(len(p.Terms.List), mostTerms)]
	for _, t := range p.Terms.List {
		p.Terms.Most = max(p.Terms.Most, t.Weight)
	}
}
