package crash_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var flips = flag.Int("flips", 24, "bits to flip in finished files")

// repairEvery is how many detected flips there are to one after which the sweep is run
// again, to see that it makes good what was damaged.
const repairEvery = 8

// TestNoFlippedBitIsTakenInSilence flips single bits in every kind of file of a finished
// workspace. Each must be named by plan or db check, or change nothing that a command
// hands out: the figures of a report, the points, the export.
func TestNoFlippedBitIsTakenInSilence(t *testing.T) {
	random := rand.New(rand.NewPCG(*seed, 1))
	p := newPlace(t, t.TempDir())
	p.all()
	p.ok("db", "check", "--deep")
	want, out, said := p.results(), p.handedOut(), p.said()
	kinds := p.kinds()
	names := slices.Sorted(maps.Keys(kinds))
	type count struct{ detected, repaired, harmless int }
	counts := map[string]*count{}
	for _, kind := range names {
		counts[kind] = &count{}
	}
	for n := range *flips {
		kind := names[n%len(names)]
		files := kinds[kind]
		path := files[random.IntN(len(files))]
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(whole)
		at, bit := random.IntN(len(whole)), random.IntN(8)
		flipped[at] ^= 1 << bit
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		where := fmt.Sprintf("seed %d, flip %d: bit %d of byte %d of %s", *seed, n, bit, at, path)
		if p.said() == said && p.quiet("db", "check", "--deep") {
			if err := same(out, p.handedOut()); err != nil {
				t.Fatalf("%s is taken in silence: %v", where, err)
			}
			counts[kind].harmless++
		} else {
			counts[kind].detected++
			if random.IntN(repairEvery) == 0 && p.isMadeAgain(kind) {
				if c := p.command("run", "small.toml"); c.Run() != nil {
					t.Fatalf("%s: run does not make it good", where)
				}
				before, left := maps.Clone(want), p.results()
				if strings.HasSuffix(kind, "events.jsonl") { // a damaged line of a log is lost, with a notice
					delete(before, "points")
					delete(left, "points")
				}
				if err := same(before, left); err != nil {
					t.Fatalf("%s: after run: %v", where, err)
				}
				counts[kind].repaired++
			}
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(kind, "headroom.db") {
			p.ok("db", "rebuild")
		}
	}
	var sum count
	for _, kind := range names {
		c := counts[kind]
		sum.detected, sum.repaired, sum.harmless = sum.detected+c.detected, sum.repaired+c.repaired, sum.harmless+c.harmless
		t.Logf("%4d detected, of them %3d repaired by run; %4d harmless; 0 silent: %s", c.detected, c.repaired, c.harmless, kind)
	}
	t.Logf("%d flips: %d detected (%d of them repaired as a trial), %d harmless, 0 silent", *flips, sum.detected, sum.repaired, sum.harmless)
}

// isMadeAgain reports whether run makes files of a kind good. What has no maker left is only
// named: checkpoints of finished runs, the workspace's name, the database, of which
// db rebuild is the remedy, revisions of a sweep, which db repair puts aside, kept vectors,
// which evaluate makes again.
func (p *place) isMadeAgain(kind string) bool {
	for _, only := range []string{"checkpoints", "workspace.json", "headroom.db", "sweeps", ".vectors"} {
		if strings.Contains(kind, only) {
			return false
		}
	}
	return true
}

// said is what plan says of the sweep.
func (p *place) said() string {
	out, err := p.command("plan", "small.toml").CombinedOutput()
	return fmt.Sprintf("%s %v", out, err)
}

func (p *place) quiet(args ...string) bool { return p.command(args...).Run() == nil }

// handedOut is what commands give out now.
func (p *place) handedOut() map[string]string {
	p.t.Helper()
	for _, folder := range []string{"report", "exported"} {
		if err := os.RemoveAll(p.path(folder)); err != nil {
			p.t.Fatal(err)
		}
	}
	p.ok("report", "small", "-o", "report")
	p.ok("export", "tiny-k4-s2", "--to", "exported")
	found := p.results()
	maps.DeleteFunc(found, func(name, _ string) bool { return strings.HasPrefix(name, "ws") })
	return found
}

// kinds are the workspace's files that hold something, by kind.
func (p *place) kinds() map[string][]string {
	p.t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(p.path("ws"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil || info.Size() == 0 {
			return err
		}
		name, err := filepath.Rel(p.path("ws"), path)
		if err != nil {
			return err
		}
		parts := strings.Split(filepath.ToSlash(name), "/")
		last := parts[len(parts)-1]
		if stem := strings.TrimSuffix(last, filepath.Ext(last)); len(stem) == 64 {
			last = "ID" + filepath.Ext(last)
		}
		kind := parts[0]
		if len(parts) > 1 {
			kind += "/…/" + last
		}
		if parts[0] == "runs" && len(parts) > 3 {
			kind = "runs/" + parts[2] + "/…/" + last
		}
		found[kind] = append(found[kind], path)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}
