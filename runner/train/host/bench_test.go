package host_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"headroom/data/loader"
	"headroom/data/synthetic"
	"headroom/internal/alternate"
	"headroom/models/hf"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/runner/train/conformance"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

// These benchmarks compare whole training steps of processes that take turns.
// HEADROOM_BENCH_ROUNDS is how many turns count (5; the first, which warms up,
// never does) and HEADROOM_BENCH_TINY=1 makes everything small, to see that they work.

// shape is the model and batch of a benchmark.
type shape struct {
	architecture                             string
	vocab, hidden, layers, heads, positions  int
	texts, queryTokens, tokens               int
	lambdaQuery, lambdaDocument, learnedRate float64
}

func benchShape(architecture string, vocab int) shape {
	return shape{architecture, vocab, 256, 4, 4, 128, 16, 64, 64, 5e-5, 1e-3, 2e-5}.sized()
}

// demoShape is the backbones of the sweep demo, with their vocabulary and batch. The
// rate is lower: at the demo's, rounding alone parts two programs within a few steps.
func demoShape(architecture string) shape {
	return shape{architecture, 1284, 96, 2, 4, 128, 32, 16, 64, 1e-2, 1e-2, 2e-5}.sized()
}

// smallestShape is the smallest backbone of the calibration's runs, with their smallest usual batch.
func smallestShape(architecture string) shape {
	return shape{architecture, 1284, 48, 1, 4, 128, 16, 16, 64, 1e-2, 1e-2, 2e-5}.sized()
}

// miniLMShape is six layers of 384, as MiniLM-L6 has them.
func miniLMShape(architecture string) shape {
	return shape{architecture, 30522, 384, 6, 12, 128, 16, 64, 64, 5e-5, 1e-3, 2e-5}.sized()
}

func (s shape) sized() shape {
	if os.Getenv("HEADROOM_BENCH_TINY") != "" {
		s.vocab, s.hidden, s.heads, s.layers, s.texts, s.queryTokens, s.tokens = s.vocab/10, 32, 4, 1, 4, 16, 16
	}
	return s
}

func benchRounds(b *testing.B) int {
	text := os.Getenv("HEADROOM_BENCH_ROUNDS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("HEADROOM_BENCH_ROUNDS=%q: allowed is an integer of at least 1", text)
	}
	return n
}

// stepInput is what every peer's step works on.
type stepInput struct {
	Queries        [][]int32 `json:"queries"`
	Documents      [][]int32 `json:"documents"`
	LambdaQuery    float64   `json:"lambda_query"`
	LambdaDocument float64   `json:"lambda_document"`
	LR             float64   `json:"lr"`
}

// prepare writes a model with random weights and a batch of full-length texts.
func (s shape) prepare(b *testing.B) (folder, input string) {
	b.Helper()
	tokenizer, err := synthetic.Tokenizer([]string{"red stone by the river"})
	if err != nil {
		b.Fatal(err)
	}
	special := tokenizer.Special()
	intermediate := 4 * s.hidden
	if s.architecture == "modernbert" {
		intermediate = 3 * s.hidden / 2 // ModernBERT-base's proportion; GeGLU doubles it
	}
	cfg, err := hf.NewConfig(hf.Shape{
		ModelType: s.architecture, Vocab: s.vocab, Hidden: s.hidden, Layers: s.layers, Heads: s.heads, Intermediate: intermediate,
		Positions: s.positions, InitStd: .02, CLS: int(special.CLS), SEP: int(special.SEP), PAD: int(special.PAD),
		LocalAttention: 128, GlobalEvery: 3,
	})
	if err != nil {
		b.Fatal(err)
	}
	params := hf.FreshParams(cfg, rand.New(rand.NewPCG(1, 2)), .02)
	folder = filepath.Join(b.TempDir(), "model")
	if err := hf.Save(folder, hf.SaveModel{Config: cfg, Params: params, MaxSeqLength: s.tokens,
		Tokenizer: tokenizer.Bytes()}); err != nil {
		b.Fatal(err)
	}
	in := stepInput{LambdaQuery: s.lambdaQuery, LambdaDocument: s.lambdaDocument, LR: s.learnedRate}
	in.Queries, in.Documents = conformance.Texts(1, s.texts, s.vocab, s.queryTokens), conformance.Texts(2, s.texts, s.vocab, s.tokens)
	text, err := json.Marshal(in)
	if err != nil {
		b.Fatal(err)
	}
	input = filepath.Join(b.TempDir(), "input.json")
	if err := os.WriteFile(input, text, 0o644); err != nil {
		b.Fatal(err)
	}
	return folder, input
}

const peerVariable = "HEADROOM_TRAIN_PEER"

// TestMain lets the test binary be a benchmark's peer.
func TestMain(m *testing.M) {
	kind := os.Getenv(peerVariable)
	if kind == "" {
		os.Exit(m.Run())
	}
	if err := servePeer(kind, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func startPeer(b *testing.B, kind, folder, input string) *alternate.Peer {
	b.Helper()
	command := exec.Command(os.Args[0], folder, input)
	command.Env = append(os.Environ(), peerVariable+"="+kind)
	return started(b, kind, command)
}

func started(b *testing.B, name string, command *exec.Cmd) *alternate.Peer {
	b.Helper()
	p, err := alternate.Start(name, command)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := p.Close(); err != nil {
			b.Error(err)
		}
	})
	return p
}

// servePeer trains one step per turn, with the fused head or as one dense graph.
func servePeer(kind, folder, input string) error {
	text, err := os.ReadFile(input)
	if err != nil {
		return err
	}
	var in stepInput
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	ck, err := hf.Load(folder, hf.Options{})
	if err != nil {
		return err
	}
	e, err := engine.Open("go", runtime.NumCPU())
	if err != nil {
		return err
	}
	defer e.Close()
	m, err := engine.NewModel(e, ck, ck.Tied)
	if err != nil {
		return err
	}
	ck = nil // its tensors are copied
	defer m.Close()
	cfg := sweeps.Defaults()
	none, zero := 0., 0
	cfg.Model.Dropout, cfg.Train.WarmupSteps, cfg.Train.Schedule = &none, &zero, "constant"
	cfg.Train.Steps, cfg.Train.Batch, cfg.Train.LR = 1000, len(in.Queries), in.LR
	cfg.Regularizer.LambdaQuery, cfg.Regularizer.LambdaDocument, cfg.Regularizer.RampKind = in.LambdaQuery, in.LambdaDocument, "constant"
	step := 0
	if kind == "fused" {
		s, err := host.New(m, cfg)
		if err != nil {
			return err
		}
		defer s.Close()
		return alternate.Serve(os.Stdin, os.Stdout, func() (float64, error) {
			values, err := s.Step(step, loader.Batch{Queries: in.Queries, Documents: in.Documents})
			step++
			return float64(values["loss"]), err
		})
	}
	objective, err := train.NewObjective(cfg)
	if err != nil {
		return err
	}
	program, err := plainProgram(m, objective, [2]float64{in.LambdaQuery, in.LambdaDocument})
	if err != nil {
		return err
	}
	defer program.Close()
	optimizer := host.NewAdamW(m, train.NewAdamW())
	optimizer.Clip = 1
	return alternate.Serve(os.Stdin, os.Stdout, func() (float64, error) { return denseStep(m, program, optimizer, in) })
}

// denseStep is a training step with all logits in memory.
func denseStep(m *engine.Model, program *engine.Program, optimizer *host.AdamW, in stepInput) (loss float64, err error) {
	var inputs []*tensors.Tensor
	for _, side := range [][][]int32{in.Queries, in.Documents} {
		batch, err := engine.NewBatch(m.Engine, side, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens())
		if err != nil {
			return 0, err
		}
		defer batch.Free()
		inputs = append(inputs, batch.IDs.Tensor, batch.Lengths.Tensor)
	}
	out, err := program.Call(engine.Inputs(m.Params, inputs...)...)
	if err != nil {
		return 0, err
	}
	defer engine.Free(out...)
	for i, p := range m.Params {
		if err := m.Engine.Read(out[i], func(values []float32) { copy(optimizer.Grad(p), values) }); err != nil {
			return 0, err
		}
	}
	if err := m.Engine.Read(out[len(m.Params)], func(values []float32) { loss = float64(values[0]) }); err != nil {
		return 0, err
	}
	optimizer.Update(in.LR)
	return loss, nil
}

// comparedSteps is the number of steps whose losses are compared. From step to step rounding grows: after
// eight steps of the ModernBERT shapes two programs' losses were seen 1.7e-3 apart.
const comparedSteps = 6

// report prints two peers' medians, peaks and ratios; that they trained the same
// is checked first. near is how far the losses may be apart.
func report(b *testing.B, near float64, ours, theirs *alternate.Peer) {
	b.Helper()
	for b.Loop() {
		r, err := alternate.Run(benchRounds(b), ours, theirs)
		if err != nil {
			b.Fatal(err)
		}
		for i, loss := range r[0].Losses[:min(comparedSteps, len(r[0].Losses))] {
			if other := r[1].Losses[i]; !(math.Abs(loss-other) <= near*math.Abs(other)) {
				b.Fatalf("step %d: %s has loss %v, %s %v: they do not train the same", i, ours.Name, loss, theirs.Name, other)
			}
		}
		const mega = 1 << 20
		b.ReportMetric(r[0].Median, ours.Name+"-s/step")
		b.ReportMetric(r[1].Median, theirs.Name+"-s/step")
		b.ReportMetric(r[1].Median/r[0].Median, "times-faster")
		for i, peer := range []*alternate.Peer{ours, theirs} {
			b.ReportMetric(r[i].Least, peer.Name+"-least-s")
			b.ReportMetric(r[i].LeastCPU, peer.Name+"-least-CPU-s")
		}
		b.ReportMetric(r[1].Least/r[0].Least, "times-faster-by-least")
		if r[0].Peak > 0 && r[1].Peak > 0 {
			b.ReportMetric(float64(r[0].Peak)/mega, ours.Name+"-peak-MB")
			b.ReportMetric(float64(r[1].Peak)/mega, theirs.Name+"-peak-MB")
			b.ReportMetric(float64(r[1].Peak)/float64(r[0].Peak), "times-less-memory")
		}
	}
	b.ReportMetric(0, "ns/op") // of the whole comparison: says nothing
}

// BenchmarkHead: a training step with the fused head against the same step as one
// graph that holds [batch, tokens, vocab].
func BenchmarkHead(b *testing.B) {
	for _, vocab := range []int{30522, 50368} {
		b.Run(fmt.Sprintf("vocab=%d", vocab), func(b *testing.B) {
			folder, input := benchShape("bert", vocab).prepare(b)
			report(b, 1e-4, startPeer(b, "fused", folder, input), startPeer(b, "dense", folder, input))
		})
	}
}

// BenchmarkStepAgainstSentenceTransformers: the same training step there.
func BenchmarkStepAgainstSentenceTransformers(b *testing.B) {
	python := os.Getenv("PYTHON")
	if python == "" {
		b.Skip("PYTHON is not set: an interpreter with sentence-transformers is needed")
	}
	script := "../../../bench/st_peer.py"
	out, err := exec.Command(python, script, "check").CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil {
		b.Skipf("%s cannot run %s: %v: %s", python, script, err, lines[len(lines)-1])
	}
	b.Log(lines[len(lines)-1])
	for _, c := range []struct {
		name string
		shape
	}{
		{"4x256/bert", benchShape("bert", 30522)}, {"4x256/modernbert", benchShape("modernbert", 30522)},
		{"demo/bert", demoShape("bert")}, {"demo/modernbert", demoShape("modernbert")},
		{"6x384/bert", miniLMShape("bert")}, {"6x384/modernbert", miniLMShape("modernbert")},
	} {
		b.Run(c.name, func(b *testing.B) {
			folder, input := c.prepare(b)
			st := exec.Command(python, script, "step", folder, input, strconv.Itoa(runtime.NumCPU()))
			// float32 sums in another order, and log1p's own rounding, over some steps.
			report(b, 1e-3, startPeer(b, "fused", folder, input), started(b, "st", st))
		})
	}
}
