package crash_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"headroom/internal/sample"
)

// What `make crash` sets. Without flags the tests are short.
var (
	kills = flag.Int("kills", 10, "processes to kill")
	disks = flag.Int("disks", 2, "disks that are full, of different sizes")
	seed  = flag.Uint64("seed", 1, "of what is chosen at random")
	built = flag.String("program", "", "the built program; without it, it is built first")
)

// program is the path of the built program.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	if *built != "" {
		path, err := filepath.Abs(*built)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		program = path
	}
	os.Exit(sample.RunTests(m, &program))
}

// place is a folder with a sweep, a workspace and a report.
type place struct {
	t   *testing.T
	dir string
	// made is where dir was while it was worked in, which results name.
	made string
}

// newPlace writes the sweep: one backbone, two runs with checkpoints, baselines.
func newPlace(t *testing.T, dir string) *place {
	t.Helper()
	sweep, err := sample.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("steps = 6", "steps = 120", "[1, 4]", "[4]").Replace(sample.Sweep) + "[checkpoint]\nevery = 5\n"
	text = strings.Replace(text, "[evaluate]\n", "[evaluate]\nkeep_vectors = true\n", 1)
	if err := os.WriteFile(sweep, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return &place{t, dir, dir}
}

func (p *place) path(parts ...string) string {
	return filepath.Join(append([]string{p.dir}, parts...)...)
}

// commands are a sweep from its first step to what is handed out.
func (p *place) commands() [][]string {
	return [][]string{
		{"run", "small.toml"},
		{"db", "rebuild"},
		{"report", "small", "-o", "report"},
		{"export", "tiny-k4-s2", "--to", "exported"},
	}
}

// command is the program with arguments, in the place.
func (p *place) command(args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), "HEADROOM_WORKSPACE="+p.path("ws"), "HEADROOM_CACHE="+p.path("cache"), "CUDA_VISIBLE_DEVICES=-1")
	return c
}

// ok runs a command that must succeed, and returns its standard output.
func (p *place) ok(args ...string) string {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	c := p.command(args...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		p.t.Fatalf("headroom %s: %v\n%s%s", strings.Join(args, " "), err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String()
}

// all runs all commands.
func (p *place) all() {
	p.t.Helper()
	for _, args := range p.commands() {
		p.ok(args...)
	}
}

// results are the digests of everything that a sweep is run for: weights, rankings,
// figures, points, tables. Times and records of attempts are left out.
func (p *place) results() map[string]string {
	p.t.Helper()
	found := map[string]string{}
	for _, root := range []string{"ws/runs", "ws/baselines", "ws/backbones", "report", "exported"} {
		err := filepath.WalkDir(p.path(root), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			name, err := filepath.Rel(p.dir, path)
			if err != nil || !isResult(name) {
				return err
			}
			text, err := p.content(path)
			found[name] = fmt.Sprintf("%x", sha256.Sum256(text))
			return err
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	points := p.ok("query", "SELECT run, name, step, value FROM series WHERE name NOT LIKE '%second%' AND name <> 'memory' AND name NOT LIKE 'time%' ORDER BY run, name, step", "--csv")
	found["points"] = fmt.Sprintf("%d bytes %x", len(points), sha256.Sum256([]byte(points)))
	return found
}

// isResult leaves out what differs between two undisturbed sweeps.
func isResult(name string) bool {
	for part := range strings.SplitSeq(filepath.ToSlash(name), "/") {
		if part == "attempts" || part == "lease" || strings.HasPrefix(part, ".new-") || strings.HasSuffix(part, ".work") || strings.HasSuffix(part, ".damaged") {
			return false
		}
	}
	switch base := filepath.Base(name); {
	case strings.HasPrefix(name, "report"):
		return base == "scores.csv" || base == "differences.csv"
	case base == "MANIFEST": // what it lists is compared itself
		return false
	case base == "provenance.json", base == "worker.log", strings.HasSuffix(base, ".log"):
		return false
	}
	return true
}

// content is a file's, unpacked, without times and the place's own path.
func (p *place) content(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch filepath.Base(path) {
	case "run.trec.gz":
		unpacked, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(unpacked)
	case "summary.json":
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			return nil, err
		}
		delete(fields, "seconds")
		delete(fields, "crc")
		if text, err = json.Marshal(fields); err != nil {
			return nil, err
		}
	}
	text = checksum.ReplaceAll(text, nil) // of a text that names the place
	return bytes.ReplaceAll(text, []byte(p.made), []byte("PLACE")), nil
}

var checksum = regexp.MustCompile(`(,"crc":"[0-9a-f]{8}"|# crc [0-9a-f]{8}\n)`)

// same compares results.
func same(want, got map[string]string) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			faults = append(faults, fmt.Errorf("%s: %q, want %q", name, got[name], want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, known := want[name]; !known {
			faults = append(faults, fmt.Errorf("%s is there, and was not without disturbance", name))
		}
	}
	return errors.Join(faults...)
}
