package glob_test

import (
	"os"
	"path/filepath"
	"testing"

	"headroom/internal/glob"
)

// A folder whose name has every character that means something in a pattern is found, and no other one.
func TestAPathMatchesItselfAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), `a*b?c[d]e\f`)
	other := filepath.Join(filepath.Dir(folder), `aXbYcde\f`)
	for _, path := range []string{folder, other} {
		if err := os.MkdirAll(filepath.Join(path, "x"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	found, err := filepath.Glob(filepath.Join(glob.Literal(folder), "*"))
	if err != nil || len(found) != 1 || found[0] != filepath.Join(folder, "x") {
		t.Errorf("found %q, %v", found, err)
	}
}
