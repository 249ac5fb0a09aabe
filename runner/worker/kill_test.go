package worker_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"headroom/internal/seal"
	"headroom/metrics/event"
	"headroom/metrics/store"
	"headroom/runner/checkpoint"
	"headroom/runner/gc"
	"headroom/sweeps"
)

// killRounds is how often a run is killed, again and again until it is done: few by
// default, as many as HEADROOM_KILLS says for a long look. HEADROOM_KILL_SEED draws others.
func killRounds(t *testing.T) (rounds int, seed uint64) {
	number := func(name string, otherwise int) int {
		text := os.Getenv(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			t.Fatalf("%s is %q; allowed: a number", name, text)
		}
		return n
	}
	return number("HEADROOM_KILLS", 1), uint64(number("HEADROOM_KILL_SEED", 1))
}

// A worker that is killed anywhere, any number of times, ends the same: the same last and best weights, the same
// export, the same series and figures.
func TestAKilledRunEndsAsIfNothingHadBeen(t *testing.T) {
	rounds, seed := killRounds(t)
	for _, c := range []struct {
		architecture string
		edit         func(*sweeps.RunConfig)
	}{
		{"bert", func(c *sweeps.RunConfig) { c.Train.MicroBatch = 4; selecting(c) }},
		{"modernbert", func(c *sweeps.RunConfig) { c.Train.MicroBatch = 2; selecting(c) }},
		{"bert", func(c *sweeps.RunConfig) { c.Train.MicroBatch = 2 }},
	} {
		config := func(b bench) sweeps.RunConfig {
			return b.watching(4, func(cfg *sweeps.RunConfig) { cfg.Checkpoint.Every = 3; c.edit(cfg) })
		}
		undisturbed := newBench(t, c.architecture)
		id := undisturbed.prepare(t, config(undisturbed))
		lines := undisturbed.whole(t, id)
		want := undisturbed.ending(t, id)
		t.Run(c.architecture+" select "+config(undisturbed).Checkpoint.Select, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, uint64(len(c.architecture))))
			for round := range rounds {
				b := newBench(t, c.architecture)
				b.prepare(t, config(b))
				var points []string
				for range 2 + random.IntN(2) {
					at, later := random.IntN(lines), time.Duration(random.IntN(6000))*time.Microsecond
					points = append(points, fmt.Sprintf("line %d + %v", at, later))
					b.killed(t, id, at, later)
					// Collecting garbage in between takes nothing that is needed.
					if _, err := gc.Free(gc.Options{Workspace: b.files.Root, Backbones: true}); err != nil {
						t.Fatal(err)
					}
				}
				b.whole(t, id)
				for _, difference := range differences(b.ending(t, id), want) {
					t.Errorf("round %d of seed %d, killed at %v of %d lines: %s", round, seed, points, lines, difference)
				}
			}
		})
	}
}

// ending lists everything that a finished run leaves, except times, one line per item.
type ending map[string][]string

// differences are the parts in which two endings are not the same, each with its first.
func differences(got, want ending) []string {
	var list []string
	for _, part := range slices.Sorted(maps.Keys(want)) {
		if i, a, b := 0, got[part], want[part]; !slices.Equal(a, b) {
			for i < min(len(a), len(b)) && a[i] == b[i] {
				i++
			}
			list = append(list, fmt.Sprintf("%s: %d lines, want %d; from %q, want %q", part, len(a), len(b), a[i:min(i+3, len(a))], b[i:min(i+3, len(b))]))
		}
	}
	return list
}

func (b bench) ending(t testing.TB, id string) ending {
	t.Helper()
	attempts, err := event.Attempts(b.files.Run(id))
	if err != nil {
		t.Fatal(err)
	}
	final := b.events(t, id, attempts[len(attempts)-1])
	e := ending{"weights": {last[event.Ended](t, final).Weights}, "checkpoints": {fmt.Sprint(b.steps(t, id))}}
	for _, r := range final {
		if s, ok := r.Event.(event.Selected); ok {
			e["selected"] = append(e["selected"], fmt.Sprint(s))
		}
	}
	if e["leftovers"], err = checkpoint.Leftovers(filepath.Join(b.files.Run(id), "checkpoints")); err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(b.files.Run(id), "model")
	entries, err := os.ReadDir(model)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if text, err := os.ReadFile(filepath.Join(model, entry.Name())); err == nil && entry.Name() != "README.md" && entry.Name() != seal.ManifestFile { // which names paths, and its digest
			e["files"] = append(e["files"], fmt.Sprintf("%s %x", entry.Name(), sha256.Sum256(text)))
		}
	}
	s, err := store.Open(filepath.Join(b.files.Root, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := store.Fold(t.Context(), b.files.Root, s); err != nil {
		t.Fatal(err)
	}
	// A collection is named by its path, which differs from bench to bench.
	for part, query := range map[string]string{
		"series": "SELECT step, replace(name, '%s', 'DATA'), value, nonfinite FROM series ORDER BY 1, 2",
		"scores": "SELECT replace(dataset, '%s', 'DATA'), measure, value, queries FROM scores ORDER BY 1, 2",
	} {
		table, err := s.Query(t.Context(), fmt.Sprintf(query, b.data))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range table.Rows {
			if name, ok := row[1].(string); ok && part == "series" && event.DependsOnMachine(name) {
				continue
			}
			e[part] = append(e[part], fmt.Sprint(row...))
		}
	}
	norms, err := s.HeadNorms(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range norms {
		e["norms"] = append(e["norms"], fmt.Sprint(n))
	}
	return e
}
