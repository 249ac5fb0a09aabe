package report_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/reports/compare"
	"headroom/reports/internal/sample"
	"headroom/reports/report"
)

// TestScoresAreAllButTheCurves compares what claims, power and pages are judged by with what a
// report reads: only the curves are missing.
func TestScoresAreAllButTheCurves(t *testing.T) {
	st := folded(t, workspace(t, sample.Demo()))
	whole, err := loadSweep(context.Background(), st, "demo")
	if err != nil {
		t.Fatal(err)
	}
	scores, err := compare.LoadScores(context.Background(), st, "demo")
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	for i := range whole.Runs {
		drawn += len(whole.Runs[i].Series)
		if len(scores.Runs[i].Series) > 0 {
			t.Errorf("run %q has curves", scores.Runs[i].Label)
		}
		whole.Runs[i].Series = nil
		for j := range whole.Runs[i].Episodes {
			whole.Runs[i].Episodes[j].Loss = math.NaN() // it is read from a curve
		}
	}
	if drawn == 0 {
		t.Error("no run has a curve to leave out")
	}
	if got, want := fmt.Sprintf("%+v", scores.Runs), fmt.Sprintf("%+v", whole.Runs); got != want || len(scores.Baselines) != len(whole.Baselines) {
		t.Errorf("without curves it is\n%s\nwant\n%s", got, want)
	}
}

// TestFromStore writes the sample as a workspace's files, folds them and makes the
// report from the store alone: it must be the report of the plain input, byte for byte.
func TestFromStore(t *testing.T) {
	in := sample.Demo()
	st := folded(t, workspace(t, in))
	ctx := context.Background()

	loaded, err := loadSweep(ctx, st, "demo")
	if err != nil {
		t.Fatal(err)
	}
	loaded.Notes = in.Notes
	folder := t.TempDir()
	summary, err := report.Folder(compared(t, loaded), report.Extras{}, folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range summary.Files {
		if !strings.HasSuffix(name, ".png") && !strings.HasSuffix(name, ".svg") && name != "report.html" && name != report.Manifest {
			if got, want := string(read(t, filepath.Join(folder, name))), string(read(t, filepath.Join("testdata", name))); got != want {
				t.Errorf("%s from the store differs from its golden file at %q", name, firstDifference(got, want))
			}
		}
	}
	plain := t.TempDir()
	if _, err := report.Folder(compared(t, in), report.Extras{}, plain); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"loss.svg", "active.png", "parts.svg", "effectiveness-builtin-demo.png"} {
		if string(read(t, filepath.Join(folder, name))) != string(read(t, filepath.Join(plain, name))) {
			t.Errorf("%s from the store differs", name)
		}
	}

	t.Run("twice the same bytes", func(t *testing.T) {
		one, two := t.TempDir(), t.TempDir()
		first, err := report.Folder(compared(t, loaded), report.Extras{}, one)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := report.Folder(compared(t, loaded), report.Extras{}, two); err != nil {
			t.Fatal(err)
		}
		for _, name := range first.Files {
			if string(read(t, filepath.Join(one, name))) != string(read(t, filepath.Join(two, name))) {
				t.Errorf("%s differs", name)
			}
		}
		if len(first.Comparison.Findings) == 0 {
			t.Error("the summary has no findings")
		}
	})
	t.Run("a sweep that is not there", func(t *testing.T) {
		_, err := loadSweep(ctx, st, "dema")
		if !errors.Is(err, compare.ErrNoSweep) || !strings.Contains(err.Error(), "demo") {
			t.Errorf("got %v", err)
		}
	})
}

// TestEqualCostFromStoredCurves: cuts that are in the store decide the comparison at
// equal cost as those of the plain input do, and are in the report's first table.
func TestEqualCostFromStoredCurves(t *testing.T) {
	in := sample.Demo()
	for i := range in.Runs {
		for j := range in.Runs[i].Evaluations {
			e := &in.Runs[i].Evaluations[j]
			for _, side := range []string{"document", "query"} {
				for _, terms := range []int{4, 16} {
					share := float64(terms) / 64
					cut := compare.CurvePoint{Side: side, Terms: terms, ActiveQuery: e.ActiveQuery, ActiveDocument: e.ActiveDocument * share, Flops: e.Flops * share,
						Measures: map[string]float64{}, PerQuery: map[string]map[string]float64{}}
					for m, queries := range e.PerQuery {
						cut.PerQuery[m] = map[string]float64{}
						for _, q := range slices.Sorted(maps.Keys(queries)) {
							v := queries[q] * (0.5 + share)
							cut.PerQuery[m][q] = v
							cut.Measures[m] += v / float64(len(queries))
						}
					}
					e.Curve = append(e.Curve, cut)
				}
			}
		}
	}
	st := folded(t, workspace(t, in))
	loaded, err := loadSweep(context.Background(), st, "demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range loaded.Runs {
		for _, e := range r.Evaluations {
			at := slices.IndexFunc(in.Runs, func(other compare.Run) bool { return other.ID == r.ID })
			same := slices.IndexFunc(in.Runs[at].Evaluations, func(other compare.Evaluation) bool { return other.ID == e.ID })
			want := in.Runs[at].Evaluations[same].Curve
			slices.SortFunc(want, func(a, b compare.CurvePoint) int {
				return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.Terms, b.Terms))
			})
			if !reflect.DeepEqual(e.Curve, want) {
				t.Fatalf("%s on %s: the curve is %+v, want %+v", r.Label, e.Dataset, e.Curve, want)
			}
		}
	}
	folder := t.TempDir()
	if _, err := report.Folder(compared(t, loaded), report.Extras{}, folder); err != nil {
		t.Fatal(err)
	}
	plain := t.TempDir()
	if _, err := report.Folder(compared(t, in), report.Extras{}, plain); err != nil {
		t.Fatal(err)
	}
	table := string(read(t, filepath.Join(folder, "matched.csv")))
	if other := string(read(t, filepath.Join(plain, "matched.csv"))); table != other {
		t.Errorf("from the store:\n%s\nfrom the input:\n%s", table, other)
	}
	if !strings.Contains(table, "cut documents") {
		t.Errorf("no cut is in the table at equal cost:\n%s", table)
	}
}

func firstDifference(a, b string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[max(0, i-40):min(len(a), i+40)]
		}
	}
	return "its end"
}

func folded(t *testing.T, root string) *store.Store {
	t.Helper()
	st, err := store.Open(filepath.Join(root, "headroom.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if err := store.Fold(context.Background(), root, st); err != nil {
		t.Fatal(err)
	}
	return st
}

// workspace writes what a finished sweep leaves on disk.
func workspace(t *testing.T, in *compare.Input) string {
	t.Helper()
	root := t.TempDir()
	type manifestRun struct {
		Run      string          `json:"run"`
		Label    string          `json:"label"`
		Backbone string          `json:"backbone"`
		Rescale  float64         `json:"rescale"`
		Seed     int64           `json:"seed"`
		Config   json.RawMessage `json:"config"`
	}
	type manifestBaseline struct {
		ID       string `json:"id"`
		Dataset  string `json:"dataset"`
		Name     string `json:"name"`
		Backbone string `json:"backbone"`
	}
	manifest := struct {
		Schema    int                `json:"schema"`
		Sweep     string             `json:"sweep"`
		Question  string             `json:"question"`
		Revision  string             `json:"revision"`
		Runs      []manifestRun      `json:"runs"`
		Baselines []manifestBaseline `json:"baselines"`
	}{Schema: 1, Sweep: in.Sweep, Question: in.Question, Revision: in.Revision}
	for _, r := range in.Runs {
		manifest.Runs = append(manifest.Runs, manifestRun{r.ID, r.Label, r.Backbone, r.Rescale, r.Seed, sample.Config(r.Backbone, r.Rescale, int(r.Seed))})
		writeRun(t, filepath.Join(root, "runs", r.ID), r)
	}
	for _, b := range in.Baselines {
		manifest.Baselines = append(manifest.Baselines, manifestBaseline{b.Evaluation.ID, b.Evaluation.Dataset, b.Name, b.Backbone})
		writeEvaluation(t, filepath.Join(root, "baselines", b.Evaluation.ID), b.Evaluation, b.Name, b.Backbone)
	}
	writeJSON(t, filepath.Join(root, "sweeps", in.Sweep, in.Revision+".json"), manifest)
	return root
}

func writeRun(t *testing.T, folder string, r compare.Run) {
	t.Helper()
	log, err := event.Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	put := func(e event.Event) {
		t.Helper()
		if err := log.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	steps := r.Step + 1
	put(event.Started{Run: r.ID, Attempt: log.Attempt(), Host: "here", PID: 1, Steps: steps,
		Facts: event.Facts{Batch: 32, Candidates: r.Candidates, Vocab: 1275, RampEnd: 50, Loss: "infonce"}})
	for _, n := range r.HeadNorms {
		put(event.HeadNorms{Step: n.Step, Mean: event.Value(n.Mean), P05: event.Value(n.P05), P50: event.Value(n.P50), P95: event.Value(n.P95), Max: event.Value(n.Max)})
	}
	for s := range steps {
		values := map[string]event.Value{}
		for name, series := range r.Series {
			values[name] = event.Value(series.Values[s])
		}
		put(event.Step{Step: s, Values: values})
	}
	for _, e := range r.Episodes {
		put(event.Episode{Detector: e.Kind, Version: 1, Verdict: e.Kind, Severity: e.Severity, FirstStep: e.FirstStep, LastStep: e.LastStep, Stands: e.Stands,
			Evidence: event.Evidence{Series: e.Series, Rule: "a rule", Threshold: 1, Window: 5}})
	}
	put(event.Judged{Verdict: r.Verdict})
	for _, e := range r.Evaluations {
		place := filepath.Join("evaluations", e.ID)
		writeEvaluation(t, filepath.Join(folder, place), e, "", "")
		put(event.Evaluated{ID: e.ID, Dataset: e.Dataset, Split: e.Split, Queries: e.Queries, Documents: e.Documents, Folder: place})
	}
	put(event.Ended{State: event.StateDone, Step: steps, Seconds: 1})
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

func writeEvaluation(t *testing.T, folder string, e compare.Evaluation, name, backbone string) {
	t.Helper()
	figure := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	s := record.Evaluation{Schema: 1, ID: e.ID, Dataset: e.Dataset, Split: e.Split, Name: name, Backbone: backbone, Queries: e.Queries, Documents: e.Documents,
		Measures: e.Measures, ActiveQuery: figure(e.ActiveQuery), ActiveDocument: figure(e.ActiveDocument), Flops: figure(e.Flops),
		Collection: e.QrelsDigest, TieShare: figure(e.TieShare)}
	rows := []string{}
	for m := range e.Measures {
		for q, v := range e.PerQuery[m] {
			rows = append(rows, fmt.Sprintf("%s\t%s\t%v\n", q, m, v))
		}
	}
	slices.Sort(rows)
	var curve []string
	for _, c := range e.Curve {
		s.Curve = append(s.Curve, record.Cut{Side: c.Side, Terms: c.Terms, Measures: c.Measures, ActiveQuery: c.ActiveQuery, ActiveDocument: c.ActiveDocument, Flops: c.Flops})
		for m := range c.Measures {
			for q, v := range c.PerQuery[m] {
				curve = append(curve, fmt.Sprintf("%s\t%d\t%s\t%s\t%v\n", c.Side, c.Terms, m, q, v))
			}
		}
	}
	writeJSON(t, filepath.Join(folder, "summary.json"), s)
	if len(curve) > 0 {
		writeZipped(t, filepath.Join(folder, "curve.tsv.gz"), "side\tterms\tmeasure\tquery\tvalue\n"+strings.Join(curve, ""))
	}
	if err := os.WriteFile(filepath.Join(folder, "per_query.tsv"), []byte("query\tmeasure\tvalue\n"+strings.Join(rows, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeZipped(t *testing.T, path, text string) {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	if _, err := zip.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeJSON(t *testing.T, path string, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// loadSweep reads all of a sweep, its curves too.
func loadSweep(ctx context.Context, st *store.Store, sweep string) (*compare.Input, error) {
	runs, err := st.Runs(ctx, sweep)
	if err != nil {
		return nil, err
	}
	return compare.LoadRuns(ctx, st, store.Scope{Sweep: sweep}, runs)
}
