package evaluate_test

import (
	"context"
	"encoding/binary"
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

	"headroom/data/collection"
	"headroom/data/tokenize"
	"headroom/internal/alternate"
	"headroom/models/hf"
	"headroom/runner/evaluate"
)

// compared is how many documents' vectors st_peer.py keeps.
const compared = 32

// BenchmarkEncodeAgainstSentenceTransformers encodes real documents with a real
// checkpoint, in processes that take turns; ONNX Runtime is a third one. HEADROOM_BENCH_ROUNDS is how many turns
// count (3), HEADROOM_BENCH_DOCUMENTS how many documents a turn has (256).
func BenchmarkEncodeAgainstSentenceTransformers(b *testing.B) {
	root, python := os.Getenv("HEADROOM_DATA"), os.Getenv("PYTHON")
	if root == "" {
		b.Skip("HEADROOM_DATA is not set: the real collections and checkpoints are not here")
	}
	if python == "" {
		b.Skip("PYTHON is not set: an interpreter with sentence-transformers is needed")
	}
	rivals := usable(b, python, rival{"st", "../../bench/st_peer.py"}, rival{"onnx", "../../bench/onnx_peer.py"})
	trained := filepath.Join(root, "checkpoints/splade-tiny")
	for _, c := range []struct {
		name, model, collection string
		tokens                  int
	}{
		{"scifact", trained, "scifact", 256}, {"cranfield", trained, "cranfield", 256},
		{"4x256", widerModel(b, trained), "scifact", 64},
	} {
		b.Run(fmt.Sprintf("%s/%d", c.name, c.tokens), func(b *testing.B) {
			model, tokens := c.model, strconv.Itoa(c.tokens)
			texts := documents(b, filepath.Join(root, "beir", c.collection), number(b, "HEADROOM_BENCH_DOCUMENTS", 256))
			folder := b.TempDir()
			input := filepath.Join(folder, "texts.json")
			text, err := json.Marshal(texts)
			if err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(input, text, 0o644); err != nil {
				b.Fatal(err)
			}
			ours := exec.Command(os.Args[0], model, input, tokens)
			ours.Env = append(os.Environ(), peerVariable+"=encode")
			peers := []*alternate.Peer{started(b, "ours", ours)}
			vectors := func(r rival) string { return filepath.Join(folder, r.name+".bin") }
			for _, r := range rivals {
				peers = append(peers, started(b, r.name, exec.Command(python, r.script, "encode", model, input, tokens, strconv.Itoa(runtime.NumCPU()), vectors(r))))
			}
			for b.Loop() {
				results, err := alternate.Run(number(b, "HEADROOM_BENCH_ROUNDS", 3), peers...)
				if err != nil {
					b.Fatal(err)
				}
				n, us := float64(len(texts)), results[0]
				for i, r := range results {
					name := peers[i].Name
					b.ReportMetric(n/r.Median, name+"-documents/s")
					b.ReportMetric(n/r.Least, name+"-most-documents/s")
					b.ReportMetric(float64(r.Peak>>20), name+"-peak-MB")
				}
				for i, r := range rivals {
					b.ReportMetric(results[i+1].Median/us.Median, "times-faster-than-"+r.name)
					b.ReportMetric(results[i+1].Least/us.Least, "times-faster-than-"+r.name+"-by-least")
					b.ReportMetric(difference(b, model, texts[:min(compared, len(texts))], c.tokens, vectors(r)), r.name+"-max-difference")
				}
			}
			b.ReportMetric(0, "ns/op") // of the whole comparison: says nothing
		})
	}
}

// rival is another program that encodes: a script that speaks as st_peer.py does.
type rival struct{ name, script string }

// usable are the rivals that a Python interpreter can run. It says which it cannot, and skips where that is all.
func usable(b *testing.B, python string, rivals ...rival) (usable []rival) {
	b.Helper()
	for _, r := range rivals {
		out, err := exec.Command(python, r.script, "check").CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		b.Logf("%s: %s", r.script, lines[len(lines)-1])
		if err == nil {
			usable = append(usable, r)
		}
	}
	if len(usable) == 0 {
		b.Skipf("%s cannot run any of the peers", python)
	}
	return usable
}

// BenchmarkEncoding is our side alone, to be profiled.
func BenchmarkEncoding(b *testing.B) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		b.Skip("HEADROOM_DATA is not set: the real collections and checkpoints are not here")
	}
	for _, name := range []string{"scifact", "cranfield"} {
		b.Run(name, func(b *testing.B) {
			texts := documents(b, filepath.Join(root, "beir", name), number(b, "HEADROOM_BENCH_DOCUMENTS", 256))
			e, err := evaluate.OpenEncoder(b.Context(), filepath.Join(root, "checkpoints/splade-tiny"), evaluate.EncoderOptions{Backend: "go"})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			for b.Loop() {
				if _, err := e.Encode(b.Context(), texts, 256, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(texts)*b.N)/b.Elapsed().Seconds(), "documents/s")
		})
	}
}

// widerModel writes a model of 4 layers of 256, as small encoders have them, with the tokenizer of another model. Its weights
// are random, and its decoder's bias leaves some 4 % of the logits positive, as training does.
func widerModel(b *testing.B, tokenizer string) string {
	b.Helper()
	t, err := tokenize.Open(tokenizer)
	if err != nil {
		b.Fatal(err)
	}
	special := t.Special()
	cfg, err := hf.NewConfig(hf.Shape{ModelType: "bert", Vocab: 30522, Hidden: 256, Layers: 4, Heads: 4, Intermediate: 1024, Positions: 128,
		InitStd: .02, CLS: int(special.CLS), SEP: int(special.SEP), PAD: int(special.PAD)})
	if err != nil {
		b.Fatal(err)
	}
	params := hf.FreshParams(cfg, rand.New(rand.NewPCG(1, 2)), .02)
	bias := params[cfg.DecoderBiasName()]
	for i := range bias.Data {
		bias.Data[i] = -.56 // a logit's standard deviation is 0.02·√256
	}
	folder := filepath.Join(b.TempDir(), "4x256")
	if err := hf.Save(folder, hf.SaveModel{Config: cfg, Params: params, MaxSeqLength: 64, Tokenizer: t.Bytes()}); err != nil {
		b.Fatal(err)
	}
	return folder
}

// documents are n of a collection's, evenly spread.
func documents(b *testing.B, folder string, n int) []string {
	b.Helper()
	c, err := collection.Open(folder)
	if err != nil {
		b.Fatal(err)
	}
	all, err := c.Documents()
	if err != nil {
		b.Fatal(err)
	}
	n = min(n, len(all))
	texts := make([]string, n)
	for i := range texts {
		texts[i] = all[i*len(all)/n].Content()
	}
	return texts
}

// difference is max|a−b| between our vectors of texts and those in a file.
func difference(b *testing.B, model string, texts []string, tokens int, path string) float64 {
	b.Helper()
	e, err := evaluate.OpenEncoder(b.Context(), model, evaluate.EncoderOptions{Backend: "go"})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	mine, err := e.Encode(b.Context(), texts, tokens, nil)
	if err != nil {
		b.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	if len(raw) != 4*len(texts)*e.Vocab() {
		b.Fatalf("%s has %d bytes, want [%d, %d] float32", path, len(raw), len(texts), e.Vocab())
	}
	worst := 0.0
	for i, v := range mine {
		dense := make([]float32, e.Vocab())
		for j, term := range v.Terms {
			dense[term] = v.Weights[j]
		}
		for t, w := range dense {
			theirs := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*(i*len(dense)+t):]))
			worst = math.Max(worst, math.Abs(float64(w)-float64(theirs)))
		}
	}
	if !(worst < 1e-3) {
		b.Fatalf("vectors are up to %v apart: not the same function", worst)
	}
	return worst
}

const peerVariable = "HEADROOM_EVALUATE_PEER"

// TestMain lets the test binary be a benchmark's peer.
func TestMain(m *testing.M) {
	if os.Getenv(peerVariable) == "" {
		os.Exit(m.Run())
	}
	if err := servePeer(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func servePeer(model, input, longest string) error {
	tokens, err := strconv.Atoi(longest)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(input)
	if err != nil {
		return err
	}
	var texts []string
	if err := json.Unmarshal(text, &texts); err != nil {
		return err
	}
	ctx := context.Background()
	e, err := evaluate.OpenEncoder(ctx, model, evaluate.EncoderOptions{Backend: "go"})
	if err != nil {
		return err
	}
	defer e.Close()
	return alternate.Serve(os.Stdin, os.Stdout, func() (float64, error) {
		vectors, err := e.Encode(ctx, texts, tokens, nil)
		sum := 0.0
		for _, v := range vectors {
			for _, w := range v.Weights {
				sum += float64(w)
			}
		}
		return sum, err
	})
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

// number is a setting of the environment.
func number(b *testing.B, name string, otherwise int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%q: allowed is an integer of at least 1", name, text)
	}
	return n
}
