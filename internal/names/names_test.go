package names_test

import (
	"maps"
	"testing"

	"headroom/internal/names"
)

func TestDistinctNamesAreAsShortAsTheyCanBe(t *testing.T) {
	for what, c := range map[string]map[string]string{
		"last elements that differ": {"/a/bert": "bert", "recipe:tiny": "tiny", "owner/base": "base"},
		"one name in two folders":   {"/w/x1/model": "x1/model", "/w/x2/model": "x2/model", "/w/x2/other": "other"},
		"deeper":                    {"/a/x/m/model": "a/x/m/model", "/b/x/m/model": "b/x/m/model"},
		"a folder and a recipe":     {"/w/tiny": "w/tiny", "recipe:tiny": "recipe:tiny"},
		"one is the end of another": {"x/model": "x/model", "/w/x/model": "w/x/model"},
		"revisions":                 {"owner/base@v1": "base@v1", "owner/base@v2": "base@v2"},
	} {
		var references []string
		for ref := range c {
			references = append(references, ref, ref) // a reference may come twice
		}
		if got := names.DistinctNames(references, names.Last); !maps.Equal(got, c) {
			t.Errorf("%s: %v, want %v", what, got, c)
		}
	}
	alike := names.DistinctNames([]string{"owner/base@v1", "owner/base@v2"}, func(string) string { return "base" })
	if alike["owner/base@v1"] != "base@v1" || alike["owner/base@v2"] != "base@v2" {
		t.Errorf("what a short name leaves out tells apart: %v", alike)
	}
}
