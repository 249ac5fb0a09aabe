package store_test

import (
	"testing"

	"headroom/metrics/event"
)

// point is a run's line in a manifest with some settings.
func point(run string, k any, lr float64, seed int) map[string]any {
	line := member(run, k)
	line["seed"] = seed
	line["config"] = map[string]any{"seed": seed, "model": map[string]any{"rescale": k}, "train": map[string]any{"lr": lr, "steps": 10, "warmup_steps": nil},
		"evaluate": map[string]any{"final": []string{run}}}
	return line
}

func TestTheMapHasVerdictAndOnsetOverAnyTwoAxes(t *testing.T) {
	w := newSpace(t)
	w.sweep("s", "0001", point("a", 1, .001, 1), point("b", 4, .001, 1), point("c", "auto-norm", .01, 1), point("d", 4, .01, 1))
	end := func(run, verdict string, episodes ...event.Episode) {
		l := w.attempt(run, 0)
		w.steps(l, 0, 3)
		for _, e := range episodes {
			e.LastHealthy = event.Some(e.FirstStep - 1)
			w.Add(l, e)
		}
		w.Add(l, event.Judged{Verdict: verdict})
	}
	end("a", "empty", episode("identical", 1, 2, false), episode("empty", 3, 9, true))
	end("b", "healthy")
	end("c", "healthy", episode("identical", 2, 4, false))
	s := w.open() // d is not judged
	w.fold(s)
	expect(t, s, "SELECT run, x, y, verdict, onset, recovered FROM map WHERE sweep = 's' AND x_key = 'model.rescale' AND y_key = 'train.lr' ORDER BY run",
		id("a")+"|1|0.001|empty|3|0", id("b")+"|4|0.001|healthy|<nil>|0", id("c")+"|auto-norm|0.01|healthy|2|1")
	expect(t, s, "SELECT DISTINCT x_key, y_key FROM map ORDER BY 1", "model.rescale|train.lr", "train.lr|model.rescale")
	expect(t, s, "SELECT run, kind, last_healthy_step FROM verdicts ORDER BY 1, first_step",
		id("a")+"|identical|0", id("a")+"|empty|2", id("c")+"|identical|1")
	w.sameAsNew(s)
}
