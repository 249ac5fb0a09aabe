package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"headroom/metrics/store"
)

// addedBy marks a run's line in a manifest as added by a command line.
func addedBy(line map[string]any, words ...string) map[string]any {
	line["added"] = words
	return line
}

func TestARunStandsOnceAndItsSweepsBesideIt(t *testing.T) {
	w := newSpace(t)
	w.sweep("one", "0001", member("a", 1), member("b", 2), member("gone", 3))
	w.sweep("one", "0002", member("b", 2), member("a", 1), addedBy(member("x", 9), "train.lr=2e-3", "seed=1"))
	w.sweep("other", "0001", member("gone", 3), member("a", 1))
	s := w.open()
	w.fold(s)
	expect(t, s, "SELECT label, sweep FROM runs ORDER BY label", "bert-a|one", "bert-b|one", "bert-gone|other", "bert-x|one")
	expect(t, s, "SELECT sweep, label, standing, added, revision FROM members ORDER BY sweep, standing = 'former', position",
		"one|bert-b|file||0002", "one|bert-a|file||0002", "one|bert-x|added|train.lr=2e-3 seed=1|0002", "one|bert-gone|former||0001",
		"other|bert-gone|file||0001", "other|bert-a|file||0001")

	ctx := context.Background()
	labels := func(runs []store.Run, err error) (out []string) {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			out = append(out, r.Label+" "+r.Standing+" "+r.AddedBy)
		}
		return out
	}
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"members", labels(s.Runs(ctx, "one")), []string{"bert-b file ", "bert-a file ", "bert-x added train.lr=2e-3 seed=1"}},
		{"former runs", labels(s.FormerRuns(ctx, "one")), []string{"bert-gone former "}},
		{"all runs", labels(s.AllRuns(ctx)), []string{"bert-b file ", "bert-a file ", "bert-x added train.lr=2e-3 seed=1", "bert-gone file "}},
	} {
		if len(c.got) != len(c.want) {
			t.Fatalf("%s: %q, want %q", c.what, c.got, c.want)
		}
		for i := range c.got {
			if c.got[i] != c.want[i] {
				t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
			}
		}
	}
	w.sameAsNew(s)
}

func TestARunWithoutAnAttemptIsNewOrQueued(t *testing.T) {
	w := newSpace(t)
	w.sweep("s", "0001", member("r", 1))
	s := w.open()
	state := func(want string) {
		t.Helper()
		w.fold(s)
		expect(t, s, "SELECT state FROM runs", want)
		w.sameAsNew(s)
	}
	state("new")
	w.Write("runs/"+id("r")+"/config.toml", "seed = 1\n")
	state("queued")
	if err := os.RemoveAll(filepath.Join(w.Root, "runs", id("r"))); err != nil {
		t.Fatal(err)
	}
	state("new")
}

func TestSettingsAreColumns(t *testing.T) {
	w := newSpace(t)
	line := member("a", "auto-score")
	line["config"] = map[string]any{"seed": 1, "model": map[string]any{"rescale": "auto-score", "top_k": 7, "dropout": nil},
		"train": map[string]any{"lr": 2e-3, "batch": 4, "steps": 10}, "loss": map[string]any{"kind": "kl"},
		"regularizer": map[string]any{"lambda_query": 5e-5, "lambda_document": 1e-3}}
	w.sweep("s", "0001", line, member("b", 4))
	s := w.open()
	w.fold(s)
	const query = "SELECT label, rescale, k, top_k, dropout, lr, batch, steps, loss, lambda_query, lambda_document FROM settings WHERE label = 'bert-a'"
	expect(t, s, query, "bert-a|auto-score|<nil>|7|<nil>|0.002|4|10|kl|5e-05|0.001")
	w.attemptThatCameTo("a", 3.5)
	w.fold(s)
	expect(t, s, query, "bert-a|auto-score|3.5|7|<nil>|0.002|4|10|kl|5e-05|0.001")
	expect(t, s, "SELECT rescale, k FROM settings WHERE label = 'bert-b'", "4|4")
}
