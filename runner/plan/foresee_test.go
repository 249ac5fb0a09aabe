package plan_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"headroom/runner/plan"
)

const publishedTable = `
[[package]]
name  = "lab/passages"
files = [{ url = "https://host.example/passages.tar.gz", size = 1000 }]
unpacked = 9000
[[package]]
name  = "lab/asked"
files = [{ url = "https://host.example/asked.zip", size = 10 }]
[[collection]]
name    = "lab:one"
corpus  = "lab/passages:c.tsv"
queries = "lab/passages:q.tsv"
splits  = { test = "lab/passages:r.txt" }
counts  = { documents = 1000000, queries = 1, judgements = 1 }
[[collection]]
name    = "lab:two"
corpus  = "lab/passages:c.tsv"
queries = "lab/asked:q.tsv"
splits  = { test = "lab/asked:r.txt" }
counts  = { documents = 1000000, queries = 1, judgements = 1 }
`

// TestWorkIsForeseenWhereNothingIsMeasured holds hours and disk to a sum by hand.
func TestWorkIsForeseenWhereNothingIsMeasured(t *testing.T) {
	w := newWorld(t)
	table := filepath.Join(w.root, "table.toml")
	if err := os.WriteFile(table, []byte(publishedTable), 0o644); err != nil {
		t.Fatal(err)
	}
	w.options.Resolver.TableFile = table
	header := `{"__metadata__":{"a":"b"},"one":{"dtype":"F32","shape":[4,6],"data_offsets":[0,96]},"two":{"dtype":"F32","shape":[],"data_offsets":[96,100]}}`
	write(t, filepath.Join(w.root, "model", "model.safetensors"), string(binary.LittleEndian.AppendUint64(nil, uint64(len(header))))+header)
	n, err := w.options.Resolver.Parameters(filepath.Join(w.root, "model"))
	if err != nil || n != 25 {
		t.Fatal(n, err)
	}
	p := w.must(t, sweep, "evaluate.final=['lab:one', 'lab:two']", "compute.backend=xla", "train.precision=bfloat16")
	c := p.Runs[0].Config
	// 6 operations per parameter and token of 10 steps; 2 of a million passages, once.
	rate := 989e12 / 8
	tokens := float64(10 * c.Train.Batch * (c.Data.MaxQuery + c.Data.MaxDocument))
	want := (6*tokens + 2*1e6*float64(c.Data.MaxDocument)) * float64(n) / rate
	for _, run := range p.Runs {
		if run.Seconds == nil || math.Abs(*run.Seconds-want) > 1e-9*want || run.Basis != plan.Foreseen {
			t.Errorf("%s: %v of %q, want %v", run.Label, run.Seconds, run.Basis, want)
		}
	}
	if p.Seconds == nil || math.Abs(*p.Seconds-4*want) > 1e-9*want {
		t.Errorf("in all %v, want %v", p.Seconds, 4*want)
	}
	// Four runs keep three times their weights, one encodes a million documents; 1,010 bytes to download, 9,000 + 40 come out.
	if d := (plan.Disk{Workspace: 4*12*n + 1e9, Data: 1010 + 9040}); p.Disk == nil || *p.Disk != d {
		t.Errorf("disk %+v, want %+v", p.Disk, d)
	}
	p = w.must(t, sweep, "evaluate.final=['lab:one', 'lab:two']", "compute.backend=xla", "evaluate.keep_vectors=true")
	if d := (plan.Disk{Workspace: 4*(12*n+1e9) + 24*n, Data: 1010 + 9040}); p.Disk == nil || *p.Disk != d {
		t.Errorf("with kept vectors: disk %+v, want %+v", p.Disk, d)
	}
	if p := w.must(t, sweep, "compute.backend=go"); p.Seconds != nil {
		t.Errorf("of a CPU %v seconds are foreseen", *p.Seconds)
	}
}
