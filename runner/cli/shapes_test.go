package cli_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestJSONDocumentsHaveTheseShapes lists the path and type of everything in the
// documents that other programs read. A line that goes from the golden file is
// a broken contract.
func TestJSONDocumentsHaveTheseShapes(t *testing.T) {
	p, model := steps(t)
	sweep := filepath.Join(p.dir, "small.toml")
	var b strings.Builder
	add := func(name, text string) {
		paths := map[string]bool{}
		for line := range strings.SplitSeq(strings.TrimSpace(text), "\n\x00") {
			shape("", decode[any](t, line), paths)
		}
		fmt.Fprintf(&b, "%s\n", name)
		for _, path := range slices.Sorted(maps.Keys(paths)) {
			fmt.Fprintf(&b, "  %s\n", path)
		}
	}
	lines := func(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n\x00") }
	add("plan", p.ok("plan", sweep, "--json"))
	p.extra = []string{"FAKE_COLLAPSE=identical"}
	add("run", lines(p.ok("run", sweep, "--json")))
	p.extra = nil
	add("plan, finished", p.ok("plan", sweep, "--json"))
	add("status", p.ok("status", "small", "--json"))
	runs := decode[struct{ Runs []struct{ ID string } }](t, p.ok("status", "--json")).Runs
	add("show", p.ok("show", runs[0].ID, "--json"))
	add("judge", p.ok("judge", "small", "--sensitivity", "--json", "--quiet"))
	add("diff", p.ok("diff", runs[0].ID, runs[1].ID, "--json"))
	add("query", p.ok("query", "SELECT run, value, nonfinite FROM series", "--json"))
	add("report", p.ok("report", "small", "-o", filepath.Join(p.dir, "report"), "--json"))
	add("export", p.ok("export", runs[0].ID, "--to", filepath.Join(p.dir, "to"), "--json"))
	add("pretrain", lines(p.ok("pretrain", filepath.Join(p.dir, "backbones/tiny.toml"), "--backend", "go", "--json")))
	add("db check", p.ok("db", "check", "--json"))
	p.write("ws/runs/"+runs[0].ID+"/checkpoints/.new-1/x", "xx")
	add("gc", p.ok("gc", "--json"))
	add("doctor", p.ok("doctor", "--json"))
	qrels, run := p.write("qrels", "q1 0 d1 1\n"), p.write("run", "q1 Q0 d1 1 2 t\n")
	add("evaluate files", p.ok("evaluate", qrels, run, "--json"))
	add("evaluate model, cut", p.ok("evaluate", "--model", model, "--on", filepath.Join(p.dir, "data"), "--backend", "go", "--max-length", "16", "--prune-document", "2", "--json"))
	add("evaluate model", p.ok("evaluate", "--model", model, "--on", filepath.Join(p.dir, "data"), "--backend", "go", "--max-length", "16", "--json"))
	add("mine", p.ok("mine", filepath.Join(p.dir, "data"), "--negatives", "3", "--output", filepath.Join(p.dir, "mined.jsonl"), "--json"))
	add("index", p.ok("index", p.write("v.jsonl", `{"id":"a","vector":{"3":1.5}}`+"\n"), "--output", filepath.Join(p.dir, "index"), "--json"))
	add("data", p.ok("data", "list", "beir:13", "nano:nq", "--json"))
	add("prepare", p.ok("prepare", sweep, "--json", "--quiet"))
	golden(t, "json.golden", b.String())
}

// shape adds "path: type" for everything in a document. Objects whose keys are
// data (ids, names of measures) show them as *.
func shape(path string, value any, paths map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		if strings.HasSuffix(path, ".config") {
			paths[path+": object of a run's keys"] = true // sweeps tests those
			return
		}
		for key, member := range v {
			parent := path[strings.LastIndex(path, ".")+1:]
			if slices.Contains([]string{"measures", "per_query", "modules", "*"}, parent) {
				key = "*"
			}
			shape(path+"."+key, member, paths)
		}
	case []any:
		paths[path+": list"] = true
		for _, element := range v {
			shape(path+"[]", element, paths)
		}
	case string:
		paths[path+": text"] = true
	case float64:
		paths[path+": number"] = true
	case bool:
		paths[path+": bool"] = true
	case nil:
		paths[path+": null"] = true
	}
}
