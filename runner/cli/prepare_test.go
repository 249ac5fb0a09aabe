package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/experiments"
	"headroom/runner/plan"
	"headroom/sweeps"
)

// referencesOf are a sweep's backbones and data.
func referencesOf(t *testing.T, name string) (backbones, data []string) {
	t.Helper()
	file, text, err := experiments.Sweep(name)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := sweeps.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	points, err := spec.Points()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	add := func(list *[]string, references ...string) {
		for _, ref := range references {
			if !seen[ref] {
				seen[ref] = true
				*list = append(*list, ref)
			}
		}
	}
	for _, p := range points {
		c := p.Config
		add(&backbones, c.Model.Backbone)
		add(&data, c.Data.Train)
		add(&data, c.Evaluate.Final...)
		add(&data, c.Evaluate.Full...)
		add(&data, c.Evaluate.During...)
	}
	return backbones, data
}

// TestThePapersSweepIsPreparedFromAMirror brings everything that rescale needs from a server of
// generated files, after which nothing of it is unresolved and nothing more is asked for.
func TestThePapersSweepIsPreparedFromAMirror(t *testing.T) {
	p := newPlace(t)
	model := filepath.Join(p.dir, "model")
	if err := fakeModel(model); err != nil {
		t.Fatal(err)
	}
	backbones, data := referencesOf(t, "rescale")
	if len(backbones) != 3 || len(data) != 1+3+13+2-2 { // nfcorpus and fiqa are of the 13
		t.Fatalf("%q %q", backbones, data)
	}
	models := map[string]string{}
	for _, name := range backbones {
		models[name] = model
	}
	m := newMirror(t, models, data...)
	p.extra = append(m.environment(), "HF_HUB_CACHE="+filepath.Join(p.dir, "hub"))
	small := []string{"data.max_query=8", "data.max_document=16", "train.batch=2", "train.precision=float32", "compute.backend=go"}
	command := func(name string, further ...string) []string {
		return append(append([]string{name, "rescale"}, small...), further...)
	}

	before := decode[plan.Plan](t, p.ok(command("plan", "--json")...))
	if before.Count(plan.Unresolved) != 54 || m.requests.Load() != 0 {
		t.Errorf("before: %d unresolved, %d requests", before.Count(plan.Unresolved), m.requests.Load())
	}
	p.refused(command("prepare", "--offline"), "the offline switch forbids it", "beir:fever", "answerdotai/ModernBERT-base")
	p.refused(command("run", "--offline"), "some inputs are not there")

	got := decode[struct {
		Runs        int
		Models      []struct{ Name, State, Folder, Digest string }
		Collections []named
		Environment map[string]string
	}](t, p.ok(command("prepare", "--json")...))
	if got.Runs != 54 || len(got.Models) != 3 || len(got.Collections) != 17 || got.Environment["HF_HUB_CACHE"] == "" {
		t.Errorf("%+v", got)
	}
	for _, e := range got.Collections {
		if e.State != "here" || e.Folder == "" || e.Bytes == 0 {
			t.Errorf("%+v", e)
		}
	}
	for _, e := range got.Models {
		if e.State != "here" || !strings.HasPrefix(e.Digest, "hub:") {
			t.Errorf("%+v", e)
		}
	}

	asked := m.requests.Load()
	after := decode[plan.Plan](t, p.ok(command("plan", "--json")...))
	if after.Count(plan.New) != 54 || len(after.Full) != 3 || after.Full[0].State != plan.FullWaits || len(after.Full[0].Collections) != 13 {
		t.Errorf("after: %d new, %+v", after.Count(plan.New), after.Full)
	}
	hours := decode[plan.Plan](t, p.ok("plan", "rescale", "--json", "--quiet", "data.max_query=8", "data.max_document=16", "train.batch=2"))
	if hours.Seconds == nil || hours.Full[0].Seconds == nil || hours.Disk == nil || hours.Disk.Workspace == 0 || hours.Runs[0].Basis != plan.Foreseen {
		t.Errorf("nothing is foreseen: %v %+v %+v", hours.Seconds, hours.Full[0], hours.Disk)
	}
	text := p.ok(command("prepare", "--offline")...)
	if !strings.Contains(text, "headroom run rescale --offline") || m.requests.Load() != asked {
		t.Errorf("%d further requests\n%s", m.requests.Load()-asked, text)
	}

	corpus := filepath.Join(strings.TrimSpace(p.ok("data", "where", "beir:nq")), "corpus.jsonl")
	content, err := os.ReadFile(corpus)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-5] ^= 1
	if err := os.WriteFile(corpus, content, 0o644); err != nil {
		t.Fatal(err)
	}
	p.refused(command("prepare"), "corpus.jsonl is damaged", "beir/nq")
}
