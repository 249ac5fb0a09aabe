package probe_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/loader"
	"headroom/models/hf"
	"headroom/models/mlmhead"
	"headroom/models/safetensors"
	"headroom/runner/engine"
	"headroom/runner/probe"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

const references = "../../internal/reference/testdata"

func openModel(t testing.TB, name string, untie bool) *engine.Model {
	t.Helper()
	ck, err := hf.Load(filepath.Join(references, name), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open("go", 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	m, err := engine.NewModel(e, ck, ck.Tied && !untie)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func batchOf(seed uint64, vocab int) probe.Batch {
	r := rand.New(rand.NewPCG(seed, 3))
	text := func(n int) (ids []int32) {
		for range n {
			ids = append(ids, r.Int32N(int32(vocab)))
		}
		return ids
	}
	var b probe.Batch
	for i := range 5 {
		b.Queries, b.Documents = append(b.Queries, text(2+i)), append(b.Documents, text(6+i))
	}
	return b
}

// rescale divides a model's head as a run does.
func rescale(t *testing.T, m *engine.Model, k float64, target mlmhead.Target) {
	t.Helper()
	var bias []float32
	if b := m.DecoderBias(); b != nil {
		bias = b.Values
	}
	var err error
	if m.LogitScale, err = mlmhead.Rescale(m.DecoderWeight().Values, bias, k, target); err != nil {
		t.Fatal(err)
	}
}

// firstStep is what training records of a batch before its first update.
func firstStep(t *testing.T, m *engine.Model, b probe.Batch) probe.Step0 {
	t.Helper()
	cfg := sweeps.Defaults()
	none := 0.0
	cfg.Train.Steps, cfg.Train.LR, cfg.Model.Dropout = 1, 0, &none
	s, err := host.New(m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	v, err := s.Step(0, loader.Batch{Queries: b.Queries, Documents: b.Documents})
	if err != nil {
		t.Fatal(err)
	}
	return probe.Step0{ActiveQuery: v["active/query"], ActiveDocument: v["active/document"],
		ScoreMean: v["score/mean"], ScoreSD: v["score/sd"], InfoNCE: v["loss/contrastive"]}
}

func TestAProbeForeseesTheFirstStepUnderEveryFactor(t *testing.T) {
	for _, name := range []string{"bert-tied", "modernbert-untied", "distilbert-untied"} {
		for _, target := range []mlmhead.Target{mlmhead.Decoder, mlmhead.DecoderBias, mlmhead.Logits} {
			for _, k := range []float64{1, 4} {
				t.Run(fmt.Sprintf("%s %s %g", name, target, k), func(t *testing.T) {
					m := openModel(t, name, true)
					b := batchOf(7, m.Config.Vocab)
					got, err := probe.At(m, []probe.Batch{b}, k, probe.Form{Target: target, ScoreScale: 1})
					if err != nil {
						t.Fatal(err)
					}
					rescale(t, m, k, target)
					want := firstStep(t, m, b)
					if got.ActiveQuery != want.ActiveQuery || got.ActiveDocument != want.ActiveDocument {
						t.Errorf("active dims %v and %v, at the first step %v and %v", got.ActiveQuery, got.ActiveDocument, want.ActiveQuery, want.ActiveDocument)
					}
					for _, c := range [][2]float64{{float64(got.ScoreMean), float64(want.ScoreMean)}, {float64(got.ScoreSD), float64(want.ScoreSD)}, {float64(got.InfoNCE), float64(want.InfoNCE)}} {
						// Training computes in float32.
						if math.Abs(c[0]-c[1]) > 2e-5*(1+math.Abs(c[1])) {
							t.Errorf("got %+v, the first step has %+v", got, want)
							break
						}
					}
				})
			}
		}
	}
}

// A head far too large is divided until the run that follows starts near chance,
// tied or not, and the model is left as it was.
func TestAutoScoreFindsTheSmallestFactorForTheRun(t *testing.T) {
	for _, c := range []struct {
		name   string
		untie  bool
		target mlmhead.Target
	}{
		{"bert-tied", true, mlmhead.Decoder}, {"bert-tied", false, mlmhead.Decoder}, {"bert-tied", false, mlmhead.Logits},
		{"modernbert-tied", false, mlmhead.DecoderBias}, {"modernbert-untied", true, mlmhead.Decoder},
	} {
		t.Run(fmt.Sprintf("%s untie=%v %s", c.name, c.untie, c.target), func(t *testing.T) {
			build := func() *engine.Model {
				m := openModel(t, c.name, c.untie)
				for i := range m.DecoderWeight().Values {
					m.DecoderWeight().Values[i] *= 16
				}
				return m
			}
			m := build()
			b := batchOf(11, m.Config.Vocab)
			before := slices.Clone(m.DecoderWeight().Values)
			k, err := probe.ChooseK(probe.AutoScore, m, probe.Form{Target: c.target, ScoreScale: 1}, func() ([]probe.Batch, error) { return []probe.Batch{b}, nil })
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(before, m.DecoderWeight().Values) {
				t.Error("the model is not as it was")
			}
			if !(k > 1) {
				t.Fatalf("k = %v: this model starts near chance, so nothing is tested", k)
			}
			bound := mlmhead.ScoreBound * math.Log(5)
			at := func(k float64) float64 {
				m := build()
				rescale(t, m, k, c.target)
				return float64(firstStep(t, m, b).InfoNCE)
			}
			if loss := at(k); loss > bound*1.0001 {
				t.Errorf("k = %v starts at %v, above %v", k, loss, bound)
			}
			if loss := at(k / 2); loss < bound*.9999 {
				t.Errorf("k = %v starts at %v, so k = %v is not the smallest", k/2, loss, k)
			}
		})
	}
	if _, err := probe.ChooseK("auto", openModel(t, "bert-tied", true), probe.Form{}, nil); err == nil {
		t.Error("an unknown choice was taken")
	}
}

// folder is a model with a tokenizer, its parameters as edit leaves them.
func folder(t *testing.T, edit func(name string, values []float32)) string {
	t.Helper()
	ck, err := hf.Load(filepath.Join(references, "modernbert-tied"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for i := range ck.Config.Vocab - 5 {
		words = append(words, fmt.Sprintf("%q:%d", fmt.Sprintf("w%d", i), i+5))
	}
	tokenizer := `{"version":"1.0","truncation":null,"padding":null,"added_tokens":[
{"id":0,"content":"[PAD]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
{"id":1,"content":"[UNK]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
{"id":2,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
{"id":3,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
{"id":4,"content":"[MASK]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
"pre_tokenizer":{"type":"BertPreTokenizer"},
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],
"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}},
"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,` + strings.Join(words, ",") + `}}}`
	out := filepath.Join(t.TempDir(), "model")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	var list []safetensors.Tensor
	for _, spec := range ck.Config.Params() {
		if ck.Tied && spec.Name == ck.Config.DecoderName() {
			continue
		}
		p := ck.Tensors[spec.Name]
		if edit != nil {
			edit(spec.Name, p.Data)
		}
		list = append(list, safetensors.Tensor{Name: spec.Name, Shape: spec.Shape, Data: p.Data})
	}
	config, err := ck.Config.JSON(ck.Tied)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"config.json": config, "tokenizer.json": []byte(tokenizer)} {
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := safetensors.Write(filepath.Join(out, "model.safetensors"), list, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

func pairs() []probe.Pair {
	var out []probe.Pair
	for i := range 8 {
		out = append(out, probe.Pair{Query: fmt.Sprintf("w%d w%d", i, i+1), Document: fmt.Sprintf("w%d w%d w%d", i, i+9, 2*i)})
	}
	return out
}

func TestAReportSaysWhatTheHeadIs(t *testing.T) {
	r, err := probe.Model(t.Context(), "mine", folder(t, nil), pairs(), probe.Options{Backend: "go", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := openModel(t, "modernbert-tied", false)
	n := mlmhead.RowNorms(m.DecoderWeight().Values, m.Config.Embedding)
	if r.Model != "mine" || r.Architecture != "modernbert" || r.Vocab != m.Config.Vocab || !r.Tied || r.Parameters != m.Config.ParameterCount(true) {
		t.Errorf("got %+v", r)
	}
	if float64(r.Head.RowNorm.Mean) != n.Mean || float64(r.Head.RowNorm.P95) != n.P95 || r.Head.BiasMean == nil {
		t.Errorf("head %+v, want %+v and a bias", r.Head, n)
	}
	if math.Abs(float64(r.Step0.LnCandidates)-math.Log(8)) > 1e-12 || !(r.Step0.InfoNCE > 0) || !(r.Step0.ActiveDocument > 0) {
		t.Errorf("step 0 %+v", r.Step0)
	}
	if r.SuggestedK.AutoNorm < 1 || r.SuggestedK.AutoScore < 1 || len(r.NonFinite) != 0 {
		t.Errorf("suggested %+v, not finite %v", r.SuggestedK, r.NonFinite)
	}
}

func TestWeightsThatAreNotNumbersAreReported(t *testing.T) {
	for _, part := range []string{"decoder", "layers.0"} {
		t.Run(part, func(t *testing.T) {
			hit := ""
			path := folder(t, func(name string, values []float32) {
				if hit == "" && (part == "decoder" && strings.Contains(name, "embeddings") && strings.HasSuffix(name, "tok_embeddings.weight") || strings.Contains(name, part+".")) {
					hit, values[len(values)/2] = name, float32(math.NaN())
				}
			})
			r, err := probe.Model(t.Context(), "m", path, pairs(), probe.Options{Backend: "go"})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(r.NonFinite, hit) || r.Step0.InfoNCE == r.Step0.InfoNCE || r.SuggestedK.AutoScore == r.SuggestedK.AutoScore {
				t.Errorf("hit %q: got %+v", hit, r)
			}
			text, err := json.Marshal(r)
			if err != nil || !strings.Contains(string(text), `"infonce":"nan"`) {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}

func TestPairsOfPlainTexts(t *testing.T) {
	got, err := probe.FromTexts([]string{"What is it? A stone of 1.5 kg. Red.", "one", "", "four words in all", "four words in all", "a b c d e"})
	want := []probe.Pair{{Query: "What is it?", Document: "A stone of 1.5 kg. Red."}, {Query: "four words", Document: "in all"}, {Query: "a b", Document: "c d e"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if _, err := probe.FromTexts([]string{"one", "two words"}); err == nil {
		t.Error("one pair was taken")
	}
}
