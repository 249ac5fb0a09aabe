//go:build xla

package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"headroom/internal/xlatest"
	"headroom/models/splade"
	"headroom/runner/engine"
)

// Every family of backbone pools on XLA what it pools on the Go backend.
func TestXLAPoolsAlike(t *testing.T) {
	device, host := xlatest.Open(t), openEngine(t)
	for _, name := range []string{"bert-tied", "distilbert-untied", "roberta-tied", "modernbert-window"} {
		t.Run(name, func(t *testing.T) {
			r := openReference(t, name)
			var pooled, projected [2][]float32
			for i, e := range []*engine.Engine{host, device} {
				m, err := engine.NewModel(e, r.checkpoint, r.checkpoint.Tied)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				m.LogitScale = .5
				if pooled[i], err = m.Pool(r.ids); err != nil {
					t.Fatal(err)
				}
				if projected[i], err = m.Project(r.ids[:1]); err != nil {
					t.Fatal(err)
				}
			}
			for k, pair := range [][2][]float32{pooled, projected} {
				if len(pair[0]) != len(pair[1]) {
					t.Fatalf("%d values, want %d", len(pair[1]), len(pair[0]))
				}
				for i, z := range pair[0] {
					if d := pair[1][i] - z; !(d <= 2e-5 && d >= -2e-5) {
						t.Fatalf("output %d: value %d is %g, want %g", k, i, pair[1][i], z)
					}
				}
			}
		})
	}
}

// Heads that run over groups of tokens are the same too.
func TestXLAAddsUpAlike(t *testing.T) {
	for _, form := range []splade.Form{{Sum: true}, {TokenTopM: 5}, {TokenTopM: 5, Sum: true}} {
		t.Run(fmt.Sprintf("%+v", form), func(t *testing.T) { addsUpAlike(t, form) })
	}
}

func addsUpAlike(t *testing.T, form splade.Form) {
	r := openReference(t, "modernbert-untied")
	var sums [2][]float32
	for i, e := range []*engine.Engine{openEngine(t), xlatest.Open(t)} {
		m, err := engine.NewModel(e, r.checkpoint, false)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		pool, done, err := m.FormPooler(form, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		if sums[i], err = pool(r.ids); err != nil {
			t.Fatal(err)
		}
	}
	for i, w := range sums[0] {
		if d := sums[1][i] - w; !(d <= 1e-4 && d >= -1e-4) {
			t.Fatalf("weight %d is %g, want %g", i, sums[1][i], w)
		}
	}
}

// What is written to a parameter after its first use reaches the device.
func TestXLASeesChangedParameters(t *testing.T) {
	r := openReference(t, "bert-untied")
	m, err := engine.NewModel(xlatest.Open(t), r.checkpoint, false)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	before, err := m.Project(r.ids)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.DecoderWeight().Values {
		m.DecoderWeight().Values[i] *= 2
	}
	if err := m.Changed(); err != nil {
		t.Fatal(err)
	}
	after, err := m.Project(r.ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, z := range before {
		if d := after[i] - 2*z; !(d <= 1e-4 && d >= -1e-4) {
			t.Fatalf("value %d is %g after a factor of 2, before %g", i, after[i], z)
		}
	}
}

// Plugins that load badly are errors.
func TestXLARefusesWhatIsNoPlugin(t *testing.T) {
	xlatest.Open(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "pjrt_c_api_broken_plugin.so")
	if err := os.WriteFile(path, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", folder)
	for _, backend := range []string{"xla", "xla:" + path, "xla:/lib/x86_64-linux-gnu/libc.so.6"} {
		if _, err := engine.Open(backend, 1); !errors.Is(err, engine.ErrBackend) {
			t.Errorf("%s: %v", backend, err)
		}
	}
}
