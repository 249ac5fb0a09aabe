//go:build xla

package device_test

import (
	"math"
	"strings"
	"testing"

	"headroom/data/loader"
	"headroom/internal/xlatest"
	"headroom/metrics/event"
	"headroom/models/mlmhead"
	"headroom/runner/engine"
	"headroom/runner/train/conformance"
	"headroom/runner/train/trainers"
	"headroom/sweeps"
)

// parityCase is a run that both backends do from one checkpoint.
type parityCase struct {
	folder string
	untie  bool
	k      float64
	target mlmhead.Target
	edit   func(*sweeps.RunConfig)
}

func (c parityCase) config() sweeps.RunConfig {
	cfg := conformance.Config(20)
	cfg.Train.LR, cfg.Data.MaxQuery, cfg.Data.MaxDocument = 5e-4, 8, 24
	if c.edit != nil {
		c.edit(&cfg)
	}
	return cfg
}

// run trains on a model; every step's batch is the same on every backend.
func (c parityCase) run(t *testing.T, m *engine.Model, steps int) []map[string]event.Value {
	t.Helper()
	var bias []float32
	if b := m.DecoderBias(); b != nil {
		bias = b.Values
	}
	cfg := c.config()
	s, err := trainers.New(m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if m.LogitScale, err = mlmhead.Rescale(m.DecoderWeight().Values, bias, c.k, c.target); err != nil {
		t.Fatal(err)
	}
	var out []map[string]event.Value
	for step := range steps {
		values, err := s.Step(step, c.batch(cfg, m.Config.Vocab, step))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, values)
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (c parityCase) batch(cfg sweeps.RunConfig, vocab, step int) loader.Batch {
	columns := 1 + cfg.Data.Negatives
	b := loader.Batch{Queries: conformance.Texts(uint64(step), 4, vocab, 3, 6, 2), Documents: conformance.Texts(uint64(step)+50, 4*columns, vocab, 9, 21, 17)}
	if cfg.Loss.Kind != "infonce" {
		for i := range 4 * columns {
			b.Scores = append(b.Scores, float32((i*7+step*3)%11)/5)
		}
	}
	return b
}

// float32 sums run in another order: 1e-4 of a series' or parameter's size. What the
// trajectories of sentence-transformers cover is left to them.
func TestXLATwentyStepsEqualTheGoBackends(t *testing.T) {
	e := xlatest.Open(t)
	for name, c := range map[string]parityCase{
		"bert untied l1": {"bert-tied", true, 4, mlmhead.Decoder, func(c *sweeps.RunConfig) {
			c.Regularizer.Kind = "l1"
			c.Train.HeadLRScale = 3
			c.Train.WeightDecay = .01
		}},
		"modernbert logit": {"modernbert-untied", false, 2, mlmhead.Logits, func(c *sweeps.RunConfig) { c.Compute.Remat = true }},
		"micro-batches":    {"modernbert-tied", true, 2, mlmhead.Decoder, func(c *sweeps.RunConfig) { c.Train.MicroBatch = 3; c.Data.Negatives = 1 }},
		// No text's 22nd and 23rd weights come nearer to each other than 2e-3 of them in these
		// steps: if they do, rounding chooses between two terms.
		"sum, top_k, kl": {"bert-untied", false, 1, mlmhead.Decoder, func(c *sweeps.RunConfig) {
			c.Model.Pooling, c.Model.Activation, c.Model.TopK = "sum", "log1p_log1p_relu", 22
			c.Loss.Kind, c.Data.Negatives = "kl", 2
		}},
	} {
		t.Run(name, func(t *testing.T) {
			reference, device := conformance.Model(t, conformance.Host(t, 2), c.folder, c.untie), conformance.Model(t, e, c.folder, c.untie)
			want, got := c.run(t, reference, 20), c.run(t, device, 20)
			compareSeries(t, got, want, 1e-4)
			for i, p := range device.Params {
				if strings.HasSuffix(p.Name, "key.bias") {
					continue // no score depends on it: its gradient is rounding alone, which Adam enlarges
				}
				worst, size := conformance.Distance(p.Values, reference.Params[i].Values)
				if worst > 1e-4*size {
					t.Errorf("parameter %s is off by %.3g of %.3g after 20 steps", p.Name, worst, size)
				}
			}
		})
	}
}

func compareSeries(t *testing.T, got, want []map[string]event.Value, tolerance float64) {
	t.Helper()
	size := map[string]float64{}
	for _, values := range want {
		for name, v := range values {
			size[name] = math.Max(size[name], math.Abs(float64(v)))
		}
	}
	for step := range want {
		for name, v := range want[step] {
			x, ok := got[step][name]
			if !ok {
				t.Fatalf("step %d: series %q is not recorded", step, name)
			}
			allowed := tolerance * size[name]
			if strings.HasPrefix(name, "active/") {
				allowed = .5 // a weight within rounding of zero may fall to either side
			}
			if !(math.Abs(float64(x-v)) <= allowed) {
				t.Errorf("step %d: %s is %v, want %v", step, name, x, v)
			}
		}
		if len(got[step]) != len(want[step]) {
			t.Errorf("step %d: %d series, want %d", step, len(got[step]), len(want[step]))
		}
	}
}
