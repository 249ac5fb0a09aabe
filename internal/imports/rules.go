package imports

import (
	"fmt"
	"slices"
	"strings"
)

// Libraries that have homes of their own.
const (
	toml    = "github.com/BurntSushi/toml"
	gomlx   = "github.com/gomlx/..."
	sqlite  = "github.com/mattn/go-sqlite3"
	gonum   = "gonum.org/v1/plot/..."
	unicode = "golang.org/x/text/..."
	parquet = "github.com/parquet-go/..."
)

// foundation lists the packages that every package may import.
var foundation = []string{"internal/atomic", "internal/glob", "internal/nouns"}

// layer lists all packages that those in Of may import, besides the standard library
// and the foundation.
type layer struct {
	Of    []string
	Allow []string
}

var layers = []layer{
	{[]string{"internal/alike", "internal/atomic", "internal/filemap", "internal/glob", "internal/gunzip", "internal/names", "internal/near", "internal/nouns", "internal/seal", "models/family"}, nil},
	{[]string{"metrics/measure"}, []string{"internal/near"}},
	{[]string{"sweeps"}, []string{"data/groups", "internal/alike", "internal/near", "metrics/measure", "metrics/stability", toml, "models/family"}},
	{[]string{"docs", "experiments"}, nil},
	{[]string{"data/trec"}, []string{"internal/gunzip", "internal/parallel"}},
	{[]string{"data/collection"}, []string{"data/parquet", "data/trec", "internal/gunzip"}},
	{[]string{"data/tokenize"}, []string{unicode}},
	{[]string{"data/kept", "data/download", "data/unpack"}, nil},
	{[]string{"data/published"}, []string{"data/download", "internal/near", toml}},
	{[]string{"data/lines"}, []string{"data/kept", "internal/gunzip"}},
	{[]string{"data/parquet"}, []string{parquet}},
	{[]string{"data/texts"}, []string{"data/collection", "data/kept", "data/lines", "data/parquet", "internal/seal"}},
	{[]string{"data/packages"}, []string{"data/download", "data/parquet", "data/published", "data/unpack", "internal/gunzip", "internal/seal"}},
	{[]string{"data/batch"}, nil},
	{[]string{"data/examples"}, []string{"data/batch", "data/collection", "data/kept", "data/lines", "data/parquet", "data/texts", "internal/seal"}},
	{[]string{"data/loader"}, []string{"data/batch", "data/examples", "data/kept", "data/tokenize"}},
	{[]string{"data/mine"}, []string{"data/collection", "data/trec"}},
	{[]string{"data/synthetic"}, []string{"data/collection", "data/tokenize", "data/trec"}},
	{[]string{"data/source"}, []string{"data/collection", "data/download", "data/examples", "data/groups", "data/kept", "data/lines", "data/packages", "data/published", "data/synthetic", "data/tokenize", "data/trec", "internal/modelfolder", "internal/seal", "models/family"}},
	{[]string{"metrics/event"}, []string{"internal/atomic"}},
	{[]string{"metrics/outline", "metrics/risk", "metrics/sparsity", "metrics/stats"}, nil},
	{[]string{"metrics/stability"}, []string{"metrics/event"}},
	{[]string{"metrics/evidence"}, []string{"internal/parallel", "metrics/event"}},
	{[]string{"metrics/record"}, []string{"internal/seal", "metrics/event", "sweeps"}},
	{[]string{"metrics/store"}, []string{"internal/alike", "internal/gunzip", "internal/seal", "metrics/event", "metrics/outline", "metrics/record", "sweeps", sqlite}},
	{[]string{"metrics/ir"}, []string{"data/trec", "internal/parallel", "metrics/measure"}},
	{[]string{"models/safetensors"}, []string{"internal/filemap"}},
	{[]string{"models/hf"}, []string{"internal/modelfolder", "internal/seal", "models/family", "models/safetensors"}},
	{[]string{"models/bert", "models/modernbert", "models/mlmhead", "models/splade"}, []string{gomlx, "models/..."}},
	{[]string{"runner/search"}, []string{"data/trec", "internal/filemap", "internal/gunzip", "internal/parallel"}},
	{[]string{"runner/vectors"}, []string{"internal/seal", "runner/search"}},
	{[]string{"reports/html"}, []string{"internal/plain", "reports/plot", "reports/table"}},
	{[]string{"reports/live"}, []string{"metrics/...", "runner/lease", "runner/pool", "runner/workspace", "sweeps"}},
	{[]string{"reports/serve"}, []string{"internal/names", "internal/plain", "metrics/...", "reports/compare", "reports/html", "reports/incident", "reports/live", "runner/workspace", "sweeps"}},
	{[]string{"internal/parallel"}, nil},
	{[]string{"runner/slurm"}, nil},
	{[]string{"runner/submit"}, []string{"internal/seal", "runner/slurm", "sweeps"}},
	{[]string{"runner/alert"}, []string{"internal/plain", "runner/pool", "sweeps"}},
	{[]string{"runner/task"}, []string{"runner/pool", "runner/slurm", "runner/submit"}},
}

// home says that only these packages may import a library.
type home struct {
	Library string
	Homes   []string
}

var homes = []home{
	{gomlx, []string{"models/...", "runner/engine/...", "runner/train/...", "runner/evaluate/...", "runner/checkpoint/..."}},
	{sqlite, []string{"metrics/store"}},
	{gonum, []string{"reports/plot"}},
	{toml, []string{"sweeps", "reports/claims", "data/published"}},
	{parquet, []string{"data/parquet"}},
	{"github.com/spf13/...", []string{"runner/cli"}},
	{"github.com/vbauerster/...", []string{"runner/pool"}},
	{"runner/cli", []string{"cmd/headroom"}},
}

// wall says that no chain of imports leads from these packages to those.
type wall struct {
	From, Never []string
}

var walls = []wall{
	{
		From:  []string{"runner/alert", "runner/plan", "runner/pool", "runner/prepare", "runner/lease", "runner/slurm", "runner/submit", "runner/task", "reports/..."},
		Never: []string{"runner/engine/...", "runner/train/...", "runner/evaluate/...", "runner/worker/...", "models/...", gomlx},
	},
	{
		From:  []string{"runner/gc", "runner/workspace"},
		Never: []string{"runner/engine/...", "runner/train/...", "runner/evaluate/...", "runner/worker/...", gomlx},
	},
	{
		From:  []string{"sweeps", "data/...", "metrics/..."},
		Never: []string{"runner/...", "reports/...", "models/...", "cmd/...", gomlx},
	},
	{From: []string{"runner/train/host"}, Never: []string{"runner/train/device"}},
	{From: []string{"runner/train/device"}, Never: []string{"runner/train/host"}},
	{From: []string{"runner/train"}, Never: []string{"runner/train/host", "runner/train/device"}},
	{From: []string{"models/..."}, Never: []string{"runner/...", "reports/...", "metrics/...", "sweeps"}},
}

// open may be imported through any wall: the table of backbone families is plain data, which planning reads too.
const open = "models/family"

// Check returns every breach of the rules as a sentence, in the order of the
// packages' names.
func Check(graph Graph) []string {
	var faults []string
	names := make([]string, 0, len(graph))
	for name := range graph {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, l := range layers {
			if !match(name, l.Of) {
				continue
			}
			for _, target := range graph[name] {
				if !match(target, l.Allow) && !match(target, foundation) {
					faults = append(faults, fmt.Sprintf("%s imports %s; it may import the standard library and [%s]", name, target, strings.Join(l.Allow, " ")))
				}
			}
		}
		for _, h := range homes {
			for _, target := range graph[name] {
				if match(target, []string{h.Library}) && !match(name, h.Homes) {
					faults = append(faults, fmt.Sprintf("%s imports %s, which belongs to [%s] only", name, target, strings.Join(h.Homes, " ")))
				}
			}
		}
		for _, w := range walls {
			if !match(name, w.From) {
				continue
			}
			if chain := graph.Path(name, func(target string) bool { return match(target, w.Never) && target != open }); chain != nil {
				faults = append(faults, fmt.Sprintf("%s reaches %s: %s", name, chain[len(chain)-1], strings.Join(chain, " → ")))
			}
		}
	}
	return faults
}
