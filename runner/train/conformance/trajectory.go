package conformance

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/models/mlmhead"
	"headroom/models/safetensors"
	"headroom/models/splade"
	"headroom/runner/engine"
	"headroom/sweeps"
)

// trajectory is training.json: fifty steps of sentence-transformers' SpladeLoss.
type trajectory struct {
	Run struct {
		Start   string  `json:"start"`
		Rescale float64 `json:"rescale"`
		Tie     bool    `json:"tie"`
		Steps   int     `json:"steps"`
		Batches int     `json:"batches"`
		Batch   int     `json:"batch"`
		LR      float64 `json:"lr"`
		Warmup  float64 `json:"warmup"`
		Clip    float64 `json:"clip"`
		LambdaQ float64 `json:"lambda_query"`
		LambdaD float64 `json:"lambda_document"`
		Ramp    float64 `json:"ramp"`

		Loss        string  `json:"loss"`
		Negatives   int     `json:"negatives"`
		Temperature float64 `json:"temperature"`
		Activation  string  `json:"activation"`
		Pooling     string  `json:"pooling"`

		Shift             float64 `json:"shift"`
		TokenTopM         int     `json:"token_top_m"`
		Hardness          string  `json:"hardness"`
		HardnessStrength  float64 `json:"hardness_strength"`
		Regularizer       string  `json:"regularizer"`
		ThresholdQuery    int     `json:"threshold_query"`
		ThresholdDocument int     `json:"threshold_document"`
		DFAlpha           float64 `json:"df_alpha"`
		DFBeta            float64 `json:"df_beta"`
		AntiZero          float64 `json:"anti_zero"`
		WeightDecay       float64 `json:"weight_decay"`
		HeadLRScale       float64 `json:"head_lr_scale"`
		Schedule          string  `json:"schedule"`
	} `json:"run"`
	Series map[string][]float64 `json:"series"`
	Gap    map[string][]float64 `json:"float32_gap"`
	Final  map[string]float64   `json:"final_float32_gap"`
}

// batches reads a trajectory's batches: texts without their padding, and the teacher's scores.
func batches(t *testing.T, f *safetensors.File, want trajectory) []loader.Batch {
	t.Helper()
	run := want.Run
	queries := unpaddedTexts(t, f, "query", run.Batches, run.Batch)
	documents := unpaddedTexts(t, f, "document", run.Batches, run.Batch*(1+run.Negatives))
	list := make([]loader.Batch, run.Batches)
	for i := range list {
		list[i] = loader.Batch{Queries: queries[i], Documents: documents[i]}
	}
	if run.Loss == "margin_mse" || run.Loss == "kl" {
		scores, err := f.Float32("scores")
		if err != nil {
			t.Fatal(err)
		}
		n := len(scores) / len(list)
		for i := range list {
			list[i].Scores = scores[i*n : (i+1)*n]
		}
	}
	return list
}

// unpaddedTexts reads texts [batches, batch, tokens] without their padding.
func unpaddedTexts(t *testing.T, f *safetensors.File, side string, batches, batch int) [][][]int32 {
	t.Helper()
	ids, err := safetensors.Values[int32](f, side+"_ids")
	if err != nil {
		t.Fatal(err)
	}
	mask, err := safetensors.Values[int32](f, side+"_mask")
	if err != nil {
		t.Fatal(err)
	}
	tokens := len(ids) / batches / batch
	out := make([][][]int32, batches)
	for i := range batches * batch {
		var text []int32
		for j := i * tokens; j < (i+1)*tokens && mask[j] == 1; j++ {
			text = append(text, ids[j])
		}
		out[i/batch] = append(out[i/batch], text)
	}
	return out
}

// followTrajectory trains with the settings of a trajectory and compares every series, and
// the vectors at its end. The tolerance is ten times PyTorch's own distance between float32
// and float64 up to that step, and at least 1e-4 relative.
func followTrajectory(t *testing.T, b Backend, name string) {
	folder := filepath.Join(References, name)
	text, err := os.ReadFile(filepath.Join(folder, "training.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want trajectory
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Open(filepath.Join(folder, "reference.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	run, cfg := want.Run, settings(want)
	m := Model(t, b.Engine, run.Start, !run.Tie)
	if _, err := mlmhead.Rescale(m.DecoderWeight().Values, nil, run.Rescale, mlmhead.Decoder); err != nil {
		t.Fatal(err)
	}
	if err := mlmhead.Shift(m.DecoderBias().Values, run.Shift, m.LogitScale); err != nil {
		t.Fatal(err)
	}
	s := b.trainer(t, m, cfg)
	list := batches(t, file, want)
	gap := map[string]float64{}
	for step := range run.Steps {
		values, err := s.Step(step, list[step%run.Batches])
		if err != nil {
			t.Fatal(err)
		}
		compare(t, step, values, want, gap)
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	form := splade.NewForm(cfg.Model.Pooling, cfg.Model.Activation, cfg.Model.TopK, cfg.Model.TokenTopM)
	for side, texts := range map[string][][]int32{"final_query": list[0].Queries, "final_document": list[0].Documents} {
		weights := weights(t, m, form, texts)
		reference, err := file.Float32(side)
		if err != nil {
			t.Fatal(err)
		}
		if len(weights) != len(reference) {
			t.Fatalf("%s has %d values, want %d", side, len(weights), len(reference))
		}
		worst, size := Distance(weights, reference)
		if allowed := math.Max(1e-4, 10*want.Final[side]); !(worst <= allowed*size) {
			t.Errorf("%s is off by %.2g of %.2g, allowed %.2g relative", side, worst, size, allowed)
		}
	}
}

// weights computes texts' term weights [len(texts), vocab] as evaluation does.
func weights(t *testing.T, m *engine.Model, form splade.Form, texts [][]int32) []float32 {
	t.Helper()
	pool, done, err := m.FormPooler(form, 0, m.Engine.Threads())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	out, err := pool(texts)
	if err != nil {
		t.Fatal(err)
	}
	if form.Sum {
		return out
	}
	for i, z := range out {
		out[i] = form.Weight(z)
	}
	return out
}

func settings(want trajectory) sweeps.RunConfig {
	cfg := sweeps.Defaults()
	cfg.Train.Steps, cfg.Train.Batch, cfg.Train.LR, cfg.Train.Warmup, cfg.Train.Clip = want.Run.Steps, want.Run.Batch, want.Run.LR, want.Run.Warmup, want.Run.Clip
	cfg.Regularizer.LambdaQuery, cfg.Regularizer.LambdaDocument, cfg.Regularizer.Ramp = want.Run.LambdaQ, want.Run.LambdaD, want.Run.Ramp
	cfg.Data.Negatives, cfg.Loss.Kind, cfg.Loss.Temperature = want.Run.Negatives, want.Run.Loss, want.Run.Temperature
	if want.Run.Loss == "naver" {
		cfg.Loss.Kind, cfg.Loss.Candidates, cfg.Regularizer.Negatives = "infonce", "in_batch_and_own", "averaged"
	}
	run := want.Run
	cfg.Train.WeightDecay, cfg.Train.HeadLRScale, cfg.Train.Schedule = run.WeightDecay, run.HeadLRScale, run.Schedule
	cfg.Loss.Hardness, cfg.Loss.HardnessStrength = run.Hardness, run.HardnessStrength
	cfg.Regularizer.Kind, cfg.Regularizer.ThresholdQuery, cfg.Regularizer.ThresholdDocument = run.Regularizer, run.ThresholdQuery, run.ThresholdDocument
	cfg.Regularizer.DFAlpha, cfg.Regularizer.DFBeta, cfg.Regularizer.AntiZero = run.DFAlpha, run.DFBeta, run.AntiZero
	cfg.Model.Activation, cfg.Model.Pooling, cfg.Model.TokenTopM = run.Activation, run.Pooling, run.TokenTopM
	zero := 0.0
	cfg.Model.Dropout = &zero
	return cfg
}

// compare checks every series of a step; gap keeps the largest gap so far.
func compare(t *testing.T, step int, got map[string]event.Value, want trajectory, gap map[string]float64) {
	t.Helper()
	for name, series := range want.Series {
		value, ok := got[name]
		if !ok {
			t.Fatalf("step %d: series %q is not recorded", step, name)
		}
		gap[name] = math.Max(gap[name], want.Gap[name][step])
		allowed := math.Max(1e-4, 10*gap[name])
		size := math.Abs(series[step])
		if name == "active/query" || name == "active/document" {
			// A weight within rounding of zero may fall to either side: one term of one text.
			if math.Abs(float64(value)-series[step]) > 1/float64(want.Run.Batch)+1e-9 {
				t.Errorf("step %d: %s is %v, want %v", step, name, value, series[step])
			}
			continue
		}
		if !(math.Abs(float64(value)-series[step]) <= allowed*size+1e-12) {
			t.Errorf("step %d: %s is %v, want %v (allowed %.2g relative)", step, name, value, series[step], allowed)
		}
	}
}
