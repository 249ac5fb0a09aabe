package imports_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/internal/imports"
)

const root = "../.."

func TestTheTreeKeepsTheRules(t *testing.T) {
	graph, err := imports.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(graph["sweeps"]) == 0 && len(graph) < 3 {
		t.Fatalf("read only %d packages under %s", len(graph), root)
	}
	for _, fault := range imports.Check(graph) {
		t.Error(fault)
	}
}

func TestEachKindOfBreachIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		graph imports.Graph
		want  string // "" if the graph is sound
	}{
		"a layer's own list":      {imports.Graph{"data/trec": {"data/collection"}}, "data/trec imports data/collection"},
		"a library outside home":  {imports.Graph{"reports/html": {"gonum.org/v1/plot/vg"}}, "gonum.org/v1/plot/vg, which belongs to [reports/plot]"},
		"toml outside home":       {imports.Graph{"runner/plan": {"github.com/BurntSushi/toml"}}, "belongs to [sweeps reports/claims data/published]"},
		"a wall, at a distance":   {imports.Graph{"reports/html": {"runner/search"}, "runner/search": {"runner/engine"}}, "reports/html → runner/search → runner/engine"},
		"GoMLX behind a sound go": {imports.Graph{"runner/pool": {"runner/x"}, "runner/x": {"github.com/gomlx/gomlx/core/graph"}}, "runner/pool reaches github.com/gomlx"},
		"cli is a leaf":           {imports.Graph{"runner/worker": {"runner/cli"}}, "runner/worker imports runner/cli"},
		"a prefix is no package":  {imports.Graph{"sweepstakes": {"github.com/BurntSushi/tomlx"}}, ""},
		"its own allowance":       {imports.Graph{"metrics/store": {"metrics/event", "github.com/mattn/go-sqlite3"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			faults := strings.Join(imports.Check(test.graph), "\n")
			if test.want == "" && faults != "" {
				t.Errorf("a sound graph is accused: %s", faults)
			}
			if !strings.Contains(faults, test.want) {
				t.Errorf("faults %q do not name %q", faults, test.want)
			}
		})
	}
}

func TestReadSeesFilesBehindBuildTagsAndNotTests(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.go", "//go:build xla\n\npackage a\n\nimport _ \"github.com/gomlx/x\"\n")
	write("a_test.go", "package a\n\nimport _ \"example.org/only/in/tests\"\n")
	graph, err := imports.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(graph["."], " "); got != "github.com/gomlx/x" {
		t.Errorf("imports of the folder: %q", got)
	}
}

func TestMainStaysSmall(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "cmd", "headroom", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines > 25 {
		t.Errorf("cmd/headroom/main.go has %d lines; 25 are allowed: the program is a function of runner/cli", lines)
	}
}
