package plan_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A folder that encodes in another form than the sweep is named in a notice, and its untrained
// baseline is identified by the sweep's form, once for each.
func TestTheFormOfAFolderAgainstThatOfTheSweep(t *testing.T) {
	w := newWorld(t)
	folder := func(name, text string) { write(t, filepath.Join(w.root, "model", name), text) }
	says := func(notices []string, parts ...string) bool {
		return slices.ContainsFunc(notices, func(n string) bool {
			return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(n, part) })
		})
	}
	plain := w.must(t, sweep)
	folder("modules.json", `[{"path":"","type":"x.MLMTransformer"},{"path":"1_SpladePooling","type":"x.SpladePooling"}]`)
	folder("1_SpladePooling/config.json", `{"pooling_strategy":"sum","activation_function":"log1p_relu"}`)
	folder("config_sentence_transformers.json", `{"max_active_dims":7,"headroom_token_top_m":3}`)
	other := w.must(t, sweep)
	for _, parts := range [][]string{
		{"model.top_k is 0", "config_sentence_transformers.json", "max_active_dims = 7"},
		{"model.token_top_m is 0", "config_sentence_transformers.json", "headroom_token_top_m = 3"},
		{"model.pooling is max", "1_SpladePooling/config.json", `pooling_strategy = "sum"`},
		{"model.activation is log1p_relu,", "1_SpladePooling/config.json", "log1p_log1p_relu"},
	} {
		if !says(other.Notices, parts...) {
			t.Errorf("%q says not all of %q", other.Notices, parts)
		}
		if says(plain.Notices, parts[0]) {
			t.Errorf("a plain folder: %q", plain.Notices)
		}
	}
	if !slices.Equal(baselineIDs(plain.Evaluations), baselineIDs(other.Evaluations)) {
		t.Error("the folder's own form is in the id of a baseline that does not use it")
	}
	if same := w.must(t, sweep, "model.top_k=7", "model.token_top_m=3", "model.pooling=sum", "model.activation=log1p_log1p_relu"); says(same.Notices, "max_active_dims") || says(same.Notices, "headroom_token_top_m") || says(same.Notices, "pooling_strategy") || says(same.Notices, "activation_function") {
		t.Errorf("the same form: %q", same.Notices)
	}
	two := baselineIDs(w.must(t, sweep, "model.top_k=[0,7]").Evaluations)
	if len(two) != 2*len(baselineIDs(plain.Evaluations)) || !slices.Contains(two, baselineIDs(plain.Evaluations)[0]) {
		t.Errorf("two forms have the untrained baselines %q", two)
	}
	if longer := baselineIDs(w.must(t, sweep, "data.max_document=12").Evaluations); slices.Equal(longer, baselineIDs(plain.Evaluations)) {
		t.Error("other lengths are the same baseline")
	}
}
