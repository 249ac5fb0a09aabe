package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// A sweep's folder may name collections that the workspace does not. Workers, which do not know that folder, are
// given the places of the texts instead of the names.
func TestWorkersFindTheCollectionsOfASweepsFolder(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	p.sample()
	p.write("headroom.toml", "[[collection]]\nname = \"lab:near\"\nfolder = '"+filepath.Join(p.dir, "data")+"'\n")
	text := strings.NewReplacer("[1, 4]", "[4]", "[1, 2]", "[1]", `"./data"`, `"lab:near"`).Replace(smallSweep)
	if !strings.Contains(text, "lab:near") {
		t.Fatalf("the sample does not name its data as ./data:\n%s", text)
	}
	sweep := p.write("small.toml", text)
	if r := p.run("run", sweep); r.code != 0 {
		t.Fatalf("run: code %d\n%s", r.code, r.stderr)
	}
	if r := p.run("plan", sweep); r.code != 0 || !strings.Contains(r.stdout+r.stderr, "done") {
		t.Errorf("plan: code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
