package claims_test

import (
	"fmt"
	"math"
	"testing"

	"headroom/reports/claims"
	"headroom/reports/compare"
	"headroom/sweeps"
)

// world is a sweep whose figures are written by hand.
type world struct {
	t *testing.T
	claims.Sweep
}

func newWorld(t *testing.T) *world {
	return &world{t: t, Sweep: claims.Sweep{Input: &compare.Input{Sweep: "s"}, Configs: map[string]sweeps.RunConfig{}, Labels: map[string]string{"data:c": "c"}}}
}

// run adds a finished, healthy run.
func (w *world) run(k float64, seed int64, evaluations ...compare.Evaluation) *compare.Run {
	w.t.Helper()
	config := sweeps.Defaults()
	config.Model.Backbone, config.Model.Rescale, config.Seed = "org/model", sweeps.Rescale{K: k}, seed
	return w.with(config, evaluations...)
}

func (w *world) with(config sweeps.RunConfig, evaluations ...compare.Evaluation) *compare.Run {
	w.t.Helper()
	text, err := config.JSON()
	if err != nil {
		w.t.Fatal(err)
	}
	settings, err := compare.ParseSettings(text)
	if err != nil {
		w.t.Fatal(err)
	}
	id := fmt.Sprintf("%08d", len(w.Input.Runs))
	w.Configs[id] = config
	w.Input.Runs = append(w.Input.Runs, compare.Run{ID: id, Backbone: config.Model.Backbone, Rescale: config.Model.Rescale.K, Seed: config.Seed,
		State: "done", Verdict: "healthy", Config: settings, Evaluations: evaluations})
	return &w.Input.Runs[len(w.Input.Runs)-1]
}

// on is an evaluation of 60 queries whose mean is value. noise is per query, the same for
// all runs; own is noise of this seed alone. Both have the mean 0.
func on(dataset string, value, noise, own float64, seed int64) compare.Evaluation {
	return of(dataset, 60, func(q int) float64 {
		angle := 2 * math.Pi * float64(q) / 60
		return value + noise*math.Sin(angle) + own*math.Cos(float64(2+seed)*angle)
	})
}

func of(dataset string, queries int, value func(q int) float64) compare.Evaluation {
	values, sum := map[string]float64{}, 0.0
	for q := range queries {
		values[fmt.Sprint("q", q)] = value(q)
		sum += value(q)
	}
	return compare.Evaluation{Dataset: dataset, Split: "test", Queries: queries, Flops: 10, ActiveQuery: 5, ActiveDocument: 50,
		Measures: map[string]float64{"nDCG@10": sum / float64(queries)}, PerQuery: map[string]map[string]float64{"nDCG@10": values}}
}

// pair adds seeds of k = 1 at .4 and of k = 4 at .4 + gain.
func (w *world) pair(seeds int, gain, own float64) *world {
	for seed := range int64(seeds) {
		w.run(1, seed, on("c", .4, .2, own, seed))
		w.run(4, seed, on("c", .4+gain, .2, own, seed+20))
	}
	return w
}

func (w *world) judge(text string) []claims.Judgement {
	w.t.Helper()
	list, err := claims.Parse("c.toml", []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	judged, err := claims.JudgeSweep(list, w.Sweep)
	if err != nil {
		w.t.Fatal(err)
	}
	return judged
}

// one judges one claim of a kind; keys are its further lines.
func (w *world) one(kind, keys string) claims.Judgement {
	w.t.Helper()
	return w.judge(claim("a", kind, keys))[0]
}

func claim(id, kind, keys string) string {
	return fmt.Sprintf("[[claim]]\nid = %q\ntext = \"t\"\nsource = \"s\"\nkind = %q\n%s\n", id, kind, keys)
}

const (
	above = "points = 'model.rescale=4'\nagainst = 'model.rescale=1'\non = 'data:c'\nmeasure = 'nDCG@10'\n"
	below = "points = 'model.rescale=1'\nagainst = 'model.rescale=4'\non = 'data:c'\nmeasure = 'nDCG@10'\n"
	four  = "points = 'model.rescale=4'\non = 'data:c'\nmeasure = 'nDCG@10'\n"
)

func near(got, want float64) bool { return math.Abs(got-want) < 1e-9 }
