//go:build xla

package device_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"headroom/internal/pjrtstub"
	"headroom/internal/xlatest"
	"headroom/models/hf"
	"headroom/runner/train/conformance"
	"headroom/runner/train/device"
)

// realShapes are the backbones of real size.
var realShapes = map[string]hf.Shape{
	"BERT-base":       {ModelType: "bert", Vocab: 30522, Hidden: 768, Layers: 12, Heads: 12, Intermediate: 3072, Positions: 512, Tie: true, InitStd: .02, Dropout: .1},
	"ModernBERT-base": {ModelType: "modernbert", Vocab: 50368, Hidden: 768, Layers: 22, Heads: 12, Intermediate: 1152, Positions: 8192, Tie: true, InitStd: .02, LocalAttention: 128, GlobalEvery: 3},
	"Ettin-17m":       {ModelType: "modernbert", Vocab: 50368, Hidden: 256, Layers: 7, Heads: 4, Intermediate: 384, Positions: 7999, Tie: true, InitStd: .02, LocalAttention: 128, GlobalEvery: 3},
	"Ettin-150m":      {ModelType: "modernbert", Vocab: 50368, Hidden: 768, Layers: 22, Heads: 12, Intermediate: 1152, Positions: 7999, Tie: true, InitStd: .02, LocalAttention: 128, GlobalEvery: 3},
	"Ettin-400m":      {ModelType: "modernbert", Vocab: 50368, Hidden: 1024, Layers: 28, Heads: 16, Intermediate: 2624, Positions: 7999, Tie: true, InitStd: .02, LocalAttention: 128, GlobalEvery: 3},
}

// program returns the StableHLO that build gives the stub to compile.
func program(t *testing.T, build func() error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.mlir")
	t.Setenv(pjrtstub.Program, path)
	if err := build(); err == nil || !strings.Contains(err.Error(), "stub: nothing is compiled here") {
		t.Fatalf("the program was not built: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	product = regexp.MustCompile(`(?s)stablehlo\.dot_general.*?: \((tensor<[^>]*>), (tensor<[^>]*>)\) ->`)
	tensor  = regexp.MustCompile(`tensor<((?:\d+x)+)(f64|f32|bf16|ui64|ui32|i32|i1)>`)
)

// What a GPU will be given for models of real size: every product forward and backward
// in bfloat16 but those of the scores, tables computed and not written out, never a
// batch's logits.
func TestXLAProgramsOfRealSize(t *testing.T) {
	e := stubbed(t)
	for name, shape := range realShapes {
		t.Run(name, func(t *testing.T) {
			m := outline(t, e, shape, true)
			if err := m.SetPrecision("bfloat16"); err != nil {
				t.Fatal(err)
			}
			for _, remat := range []bool{true, false} {
				run := conformance.Config(100)
				run.Train.Precision, run.Compute.Remat, run.Model.Dropout = "bfloat16", remat, nil
				s, err := device.New(m, run)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				text := program(t, func() error { return s.Build(64, 64, 128, 256) })
				// Products without those of scores: one forward, and by queries and by documents.
				checkProgram(t, text, 3)
				keep(t, fmt.Sprintf("%s-step%s", name, map[bool]string{true: "-remat"}[remat]), text)
			}
			text := program(t, func() error { return m.Build(128, 256) })
			checkProgram(t, text, 0)
			keep(t, name+"-encode", text)
		})
	}
}

// keep writes a program to the folder HEADROOM_XLA_PROGRAMS, for bench/gpu_compile.py.
func keep(t *testing.T, name, text string) {
	t.Helper()
	folder := os.Getenv("HEADROOM_XLA_PROGRAMS")
	if folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name+".mlir"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func checkProgram(t *testing.T, text string, scores int) {
	t.Helper()
	inFloat32, all := 0, 0
	longest, largest := 0, 0
	for line := range strings.Lines(text) {
		longest = max(longest, len(line))
		for _, found := range tensor.FindAllStringSubmatch(line, -1) {
			size := map[string]int{"f64": 8, "ui64": 8, "f32": 4, "ui32": 4, "i32": 4, "bf16": 2, "i1": 1}[found[2]]
			for d := range strings.SplitSeq(strings.TrimSuffix(found[1], "x"), "x") {
				n, err := strconv.Atoi(d)
				if err != nil {
					t.Fatal(err)
				}
				size *= n
			}
			largest = max(largest, size)
		}
	}
	for _, operands := range product.FindAllStringSubmatch(text, -1) {
		all++
		if !strings.HasSuffix(operands[1], "xbf16>") || !strings.HasSuffix(operands[2], "xbf16>") {
			inFloat32++
		}
	}
	if n := strings.Count(text, "stablehlo.dot_general"); n != all {
		t.Fatalf("%d of %d products can be read", all, n)
	}
	t.Logf("%.1f MB of StableHLO, %d products, %d of them in float32, largest tensor %.2f GB", float64(len(text))/1e6, all, inFloat32, float64(largest)/1e9)
	if all < 30 || inFloat32 != scores {
		t.Errorf("%d of %d products are in float32, want those of the scores, %d", inFloat32, all, scores)
	}
	if longest > 1<<20 {
		t.Errorf("a line of %d bytes: a table is written out", longest)
	}
	// A group of logits is a GiB at most; all of them would be several.
	if largest > 1<<30 {
		t.Errorf("a tensor of %.2f GB", float64(largest)/1e9)
	}
}

// However long texts are, few programs are compiled.
func TestXLAShapesAreFew(t *testing.T) {
	e := xlatest.Open(t)
	for limit, most := range map[int]int{64: 3, 256: 6, 512: 8, 8192: 12} {
		lengths := map[int]bool{}
		for n := 1; n <= limit; n++ {
			padded := e.PaddedLength(n, limit)
			if padded < n || padded > limit {
				t.Fatalf("%d tokens are padded to %d of %d", n, padded, limit)
			}
			lengths[padded] = true
		}
		if len(lengths) > most {
			t.Errorf("texts of up to %d tokens come in %d lengths, want at most %d", limit, len(lengths), most)
		}
	}
}
