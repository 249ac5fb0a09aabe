package plan_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/runner/plan"
	"headroom/sweeps"
)

// baselineIDs are the ids of untrained models' rows.
func baselineIDs(rows []plan.Evaluation) []string {
	var ids []string
	for _, e := range rows {
		if e.Name == sweeps.Untrained {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// TestPromptsOfTheFolderAreTheRuns: a run has its backbone's prompts unless the sweep says others, and says so.
func TestPromptsOfTheFolderAreTheRuns(t *testing.T) {
	w := newWorld(t)
	prompts := func(text string) {
		write(t, filepath.Join(w.root, "model", "modules.json"), "[]")
		write(t, filepath.Join(w.root, "model", "config_sentence_transformers.json"), `{"prompts": `+text+`}`)
	}
	plain := w.must(t, sweep)
	prompts(`{}`)
	if same := w.must(t, sweep); same.Runs[0].ID != plain.Runs[0].ID || same.Runs[0].Config.Model.QueryPrompt != nil {
		t.Errorf("a folder without prompts makes another run")
	}
	prompts(`{"query": "find: "}`)
	folder := w.must(t, sweep)
	run := folder.Runs[0]
	if run.ID == plain.Runs[0].ID || run.Config.Model.QueryPrompt == nil || *run.Config.Model.QueryPrompt != "find: " || run.Config.Model.DocumentPrompt != nil {
		t.Errorf("run %+v", run.Config.Model)
	}
	if !slices.ContainsFunc(folder.Notices, func(text string) bool {
		return strings.Contains(text, `model.query_prompt = "find: " is put before each query, as the folder of`)
	}) {
		t.Errorf("notices %q", folder.Notices)
	}
	none := w.must(t, sweep, `model.query_prompt=""`)
	if none.Runs[0].ID != plain.Runs[0].ID {
		t.Error("a sweep that takes the prompt away is another run than one of a folder without it")
	}
	other := w.must(t, sweep, `model.query_prompt="q: "`)
	if id := other.Runs[0].ID; id == run.ID || id == plain.Runs[0].ID {
		t.Error("another prompt is the same run")
	}
	if !slices.ContainsFunc(other.Notices, func(text string) bool {
		return strings.Contains(text, `where the folder of`) && strings.Contains(text, `puts "find: "`)
	}) {
		t.Errorf("notices %q", other.Notices)
	}
	baselines := map[string]bool{}
	for _, p := range [][]string{baselineIDs(plain.Evaluations), baselineIDs(folder.Evaluations), baselineIDs(other.Evaluations)} {
		for _, id := range p {
			baselines[id] = true
		}
	}
	if len(baselines) != 3 {
		t.Errorf("%d untrained baselines of three prompts", len(baselines))
	}
}
