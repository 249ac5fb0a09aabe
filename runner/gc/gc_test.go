package gc_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/internal/atomic"
	"headroom/metrics/event"
	"headroom/models/safetensors"
	"headroom/runner/checkpoint"
	"headroom/runner/gc"
	"headroom/runner/lease"
	"headroom/runner/vectors"
)

// space is a workspace on disk.
type space struct {
	t    *testing.T
	root string
	now  time.Time
}

func newSpace(t *testing.T) *space {
	return &space{t: t, root: filepath.Join(t.TempDir(), "work [space]*"), now: time.Now()}
}

// id is a run's or recipe's id that begins with a letter.
func id(letter string) string { return letter + strings.Repeat("0", 63) }

func (s *space) path(parts ...string) string {
	return filepath.Join(append([]string{s.root}, parts...)...)
}

func (s *space) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// write writes a file with a size of its own.
func (s *space) write(size int, parts ...string) string {
	s.t.Helper()
	path := s.path(parts...)
	s.check(os.MkdirAll(filepath.Dir(path), 0o755))
	s.check(os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o644))
	return path
}

// age makes a path and all below it as old.
func (s *space) age(path string, by time.Duration) {
	s.t.Helper()
	s.check(filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, s.now.Add(-by), s.now.Add(-by)))
	}))
}

// run makes a run whose only attempt ended in a state, "" for one that was killed.
func (s *space) run(run, state string) (folder string) {
	s.t.Helper()
	folder = s.path("runs", run)
	s.write(3, "runs", run, "config.toml")
	l, err := event.Create(folder)
	s.check(err)
	s.check(l.Append(event.Started{Run: run, Attempt: 1}))
	if state != "" {
		s.check(l.Append(event.Ended{State: state}))
	}
	s.check(l.Close())
	return folder
}

func (s *space) save(folder string, state checkpoint.State) {
	s.t.Helper()
	tensors := []safetensors.Tensor{{Name: "w", Shape: []int{1}, Data: []float32{float32(state.Step)}}}
	moments := tensors
	if state.Final || state.WeightsOnly {
		moments = nil
	}
	_, err := checkpoint.Save(filepath.Join(folder, "checkpoints"), state, tensors, moments)
	s.check(err)
}

func (s *space) options() gc.Options {
	return gc.Options{Workspace: s.root, CacheDir: s.path("cache"), Now: func() time.Time { return s.now }}
}

// found are the kinds and places of a report, below the workspace.
func (s *space) found(r gc.Report) []string {
	s.t.Helper()
	var list []string
	total := int64(0)
	for _, i := range r.Items {
		relative, err := filepath.Rel(s.root, i.Path)
		s.check(err)
		if i.Why == "" {
			s.t.Errorf("%s: no reason is given", relative)
		}
		total += i.Bytes
		list = append(list, i.Kind+" "+filepath.ToSlash(relative))
	}
	if total != r.Bytes {
		s.t.Errorf("%d bytes in all, the items have %d", r.Bytes, total)
	}
	slices.Sort(list)
	return list
}

// files lists what is there.
func (s *space) files() []string {
	s.t.Helper()
	var list []string
	s.check(filepath.WalkDir(s.root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && filepath.Base(filepath.Dir(path)) != "lease" {
			list = append(list, path)
		}
		return err
	}))
	return list
}

// frees looks, frees, and checks that exactly what was announced is gone and that
// nothing is left to free.
func (s *space) frees(o gc.Options, want ...string) gc.Report {
	s.t.Helper()
	slices.Sort(want)
	before := s.files()
	looked, err := gc.Find(o)
	s.check(err)
	if got := s.found(looked); !slices.Equal(got, want) {
		s.t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if after := s.files(); !slices.Equal(before, after) {
		s.t.Error("looking changed files")
	}
	freed, err := gc.Free(o)
	s.check(err)
	if got := s.found(freed); !slices.Equal(got, want) || freed.Bytes != looked.Bytes {
		s.t.Errorf("freed\n%s\nof %d bytes, announced %d", strings.Join(got, "\n"), freed.Bytes, looked.Bytes)
	}
	var expected []string
	for _, path := range before {
		if !slices.ContainsFunc(freed.Items, func(i gc.Item) bool {
			return path == i.Path || strings.HasPrefix(path, i.Path+string(filepath.Separator))
		}) {
			expected = append(expected, path)
		}
	}
	if after := s.files(); !slices.Equal(after, expected) {
		s.t.Errorf("left are\n%s\nwant\n%s", strings.Join(after, "\n"), strings.Join(expected, "\n"))
	}
	again, err := gc.Find(o)
	s.check(err)
	if len(again.Items) != 0 {
		s.t.Errorf("left to free: %v", s.found(again))
	}
	return freed
}

func TestAFinishedRunKeepsItsResult(t *testing.T) {
	s := newSpace(t)
	run := s.run(id("a"), event.StateDone)
	dev := &checkpoint.Dev{Best: 10}
	for _, step := range []int{5, 10, 20} {
		s.save(run, checkpoint.State{Run: id("a"), Step: step, Dev: &checkpoint.Dev{Best: min(step, 10)}})
	}
	s.save(run, checkpoint.State{Run: id("a"), Step: 30, Final: true, Dev: dev})
	s.write(100, "runs", id("a"), "checkpoints", ".new-1", "model.safetensors")
	s.write(50, "runs", id("a"), "checkpoints", ".gone-3", "model.safetensors")
	s.write(7, "runs", id("a"), "model", "model.safetensors")
	s.write(7, "runs", id("a"), "evaluations", "e1", "summary.json")
	s.write(7, "runs", id("a"), "evaluations", "e1", "run.trec.gz")
	s.write(7, "runs", id("a"), "worker.log")
	at := "runs/" + id("a") + "/"
	r := s.frees(s.options(), "checkpoint "+at+"checkpoints/step-20", "optimizer "+at+"checkpoints/step-10/optimizer.safetensors",
		"leftover "+at+"checkpoints/.new-1", "leftover "+at+"checkpoints/.gone-3")
	if r.Bytes < 150 {
		t.Errorf("%d bytes", r.Bytes)
	}
	best, err := checkpoint.OpenWeights(filepath.Join(run, "checkpoints"), id("a"), 10)
	if err != nil {
		t.Fatal(err)
	}
	s.check(best.Close())
}

func TestARunThatGoesOnKeepsWhatItGoesOnFrom(t *testing.T) {
	s := newSpace(t)
	run := s.run(id("a"), event.StateFailed)
	for _, step := range []int{10, 20, 30} {
		s.save(run, checkpoint.State{Run: id("a"), Step: step, Dev: &checkpoint.Dev{Best: 10}})
	}
	s.write(100, "runs", id("a"), "checkpoints", ".new-1", "model.safetensors")
	// Of a replacement that was cut short, the old one may be the only copy.
	s.check(os.CopyFS(s.path("runs", id("a"), "checkpoints", ".old-step-30"), os.DirFS(s.path("runs", id("a"), "checkpoints", "step-30"))))
	s.check(os.Rename(s.path("runs", id("a"), "checkpoints", "step-20"), s.path("runs", id("a"), "checkpoints", ".old-step-20")))
	s.write(9, "runs", id("a"), ".model.tmp-5.old", "model.safetensors") // with no model beside it
	s.frees(s.options(), "leftover runs/"+id("a")+"/checkpoints/.new-1", "leftover runs/"+id("a")+"/checkpoints/.old-step-30")
	saved, err := checkpoint.Latest(filepath.Join(run, "checkpoints"), id("a"), nil, func(m string) { t.Error(m) })
	if err != nil || saved.Step != 30 {
		t.Fatalf("%+v, %v", saved, err)
	}
	s.check(saved.Close())
}

func TestWhatALiveProcessHoldsIsLeftAlone(t *testing.T) {
	s := newSpace(t)
	run := s.run(id("a"), "")
	s.write(100, "runs", id("a"), "checkpoints", ".new-1", "model.safetensors")
	s.write(30, "cache", "unpacked", "0123-4567")
	held, err := lease.Acquire(run, lease.Options{})
	s.check(err)
	o := s.options()
	o.Cache = true
	for _, visit := range []func(gc.Options) (gc.Report, error){gc.Find, gc.Free} {
		r, err := visit(o)
		s.check(err)
		if len(r.Items) != 0 || len(r.Kept) != 2 || r.Kept[0].Path != run || !strings.Contains(r.Kept[0].Why, "held by process") || r.Kept[1].Path != o.CacheDir {
			t.Errorf("items %v, kept %v", r.Items, r.Kept)
		}
	}
	s.check(held.Release())
	s.frees(o, "leftover runs/"+id("a")+"/checkpoints/.new-1", "cache cache/unpacked/0123-4567")
}

func TestWhatHasNoLeaseMustBeOld(t *testing.T) {
	s := newSpace(t)
	s.run(id("a"), event.StateDone)
	s.check(os.Remove(s.path("runs", id("a"), "config.toml"))) // not known any more
	s.run(id("b"), event.StateDone)
	var old []string
	for _, c := range []struct {
		kind, place, file string
	}{
		{"leftover", "sweeps/s/.new-1", ""}, {"leftover", ".new-2", ""}, {"leftover", "baselines/x/.new-3", ""}, {"leftover", "runs/" + id("b") + "/.new-4", ""},
		{"evaluation", "runs/" + id("a") + "/evaluations/e", "summary.json"}, {"evaluation", "runs/" + id("b") + "/evaluations/half", "run.trec.gz"},
		{"leftover", "runs/" + id("b") + "/evaluations/whole/.new-5", ""}, {"leftover", "cache/unpacked/new-6", ""}, {"leftover", "cache/digests/.new-7", ""},
		{"leftover", "runs/" + id("b") + "/.model.tmp-5", "model.safetensors"}, {"leftover", "runs/" + id("b") + "/model/.new-8", ""},
		{"leftover", "runs/" + id("b") + "/attempts/1/.new-9", ""}, {"leftover", "runs/" + id("b") + "/lease/.new-1", ""},
		{"leftover", "runs/" + id("b") + "/lease/renew-2.tmp", ""}, {"leftover", "runs/" + id("b") + "/lease/acquire-3.tmp", ""},
		{"leftover", "runs/" + id("b") + "/lease/1.json", ""}, {"leftover", "report/.new-4", "report.md"},
		{"leftover", "backbones/.new-5", "config.json"}, {"leftover", "backbones/" + id("c") + ".work/attempts/1/.new-6", ""},
		{"leftover", "backbones/" + id("c") + ".work/lease/.new-7", ""}, {"leftover", "report/.old-demo", "report.md"},
	} {
		s.write(10, filepath.FromSlash(c.place), c.file)
		old = append(old, c.kind+" "+c.place)
	}
	s.write(10, "runs", id("b"), "evaluations", "whole", "summary.json")
	s.write(10, "runs", id("b"), "lease", "2.json")
	s.write(10, "report", "demo", "report.md")
	s.write(10, "report", ".old-other", "report.md") // the only copy
	s.write(10, "cache", "digests", "abc.json")
	s.write(10, "cache", "unpacked", "0123-4567")
	s.frees(s.options()) // nothing yet
	s.age(s.root, 2*time.Hour)
	s.frees(s.options(), old...)
}

// Vectors of documents are removed if no encoding can resume from them and no evaluation has kept them.
func TestVectorsAreFreedThatNoEvaluationNeeds(t *testing.T) {
	s := newSpace(t)
	s.run(id("a"), event.StateDone)
	s.run(id("b"), "") // killed: it resumes from these files
	s.run(id("c"), event.StateDone)
	s.check(os.Remove(s.path("runs", id("c"), "config.toml"))) // not known any more
	kept, gone, part := strings.Repeat("1", 64)+".vectors", strings.Repeat("2", 64)+".vectors", strings.Repeat("3", 64)+".part"
	list := vectors.List{Folder: "../../vectors", Documents: 1, Blocks: []string{strings.Repeat("1", 64)}}
	for _, folder := range []string{"runs/" + id("a"), "runs/" + id("b"), "runs/" + id("c"), "baselines/x", "baselines/y"} {
		for _, name := range []string{kept, gone, part} {
			s.write(10, folder, "vectors", name)
		}
		evaluation := s.path(folder, "evaluations", "e")
		if strings.HasPrefix(folder, "baselines") {
			evaluation = s.path(folder)
		}
		s.write(10, strings.TrimPrefix(evaluation, s.root), "other.json")
		s.check(atomic.WriteFile(filepath.Join(evaluation, "vectors.json"), list.Write))
		if folder != "baselines/y" { // which is not measured yet
			s.check(os.WriteFile(filepath.Join(evaluation, "summary.json"), []byte("{}"), 0o644))
		}
	}
	s.frees(s.options()) // nothing yet: somebody may be at work
	s.age(s.root, 2*time.Hour)
	a, c := "vectors runs/"+id("a")+"/vectors/", "vectors runs/"+id("c")+"/vectors/"
	s.frees(s.options(), "evaluation runs/"+id("c")+"/evaluations/e",
		"vectors baselines/x/vectors/"+gone, "vectors baselines/x/vectors/"+part, a+gone, a+part, c+kept, c+gone, c+part)
	// A damaged list may name any block.
	s.check(os.WriteFile(s.path("runs", id("a"), "evaluations", "e", "vectors.json"), []byte("{}"), 0o644))
	s.age(s.root, 2*time.Hour)
	if r, err := gc.Free(s.options()); err == nil || len(r.Items) != 0 {
		t.Errorf("with a damaged list: %v, %v", r.Items, err)
	}
}

// Interrupted downloads can be resumed: they stay for a day.
func TestHalfACollectionStaysForADay(t *testing.T) {
	s := newSpace(t)
	s.write(100, "cache", "data", ".incoming", "beir--scifact", "scifact.zip.incomplete")
	s.write(0, "cache", "data", ".incoming", "beir--scifact.lock")
	s.write(100, "cache", "data", "beir", ".new-ABC", "corpus.jsonl")
	s.write(100, "cache", "data", "beir", "nfcorpus", "corpus.jsonl")
	s.frees(s.options())
	s.age(s.root, 2*time.Hour)
	s.frees(s.options(), "leftover cache/data/beir/.new-ABC")
	s.age(s.root, 25*time.Hour)
	s.frees(s.options(), "leftover cache/data/.incoming/beir--scifact")
	if _, err := os.Stat(s.path("cache", "data", "beir", "nfcorpus", "corpus.jsonl")); err != nil {
		t.Error(err)
	}
}

func TestBackbonesAreFreedWhenAskedAndUnused(t *testing.T) {
	s := newSpace(t)
	for _, letter := range []string{"a", "b", "c", "d", "e"} {
		s.write(10, "backbones", id(letter), "config.json")
		s.write(1000, "backbones", id(letter), "model.safetensors")
		s.write(10, "backbones", id(letter)+".toml")
		s.write(10, "backbones", id(letter)+".work", "attempts", "1", "events.jsonl")
	}
	write := func(text string, parts ...string) {
		s.write(0, parts...)
		s.check(os.WriteFile(s.path(parts...), []byte(text), 0o644))
	}
	write(`{"weights":"recipe:`+id("a")+`"}`, "runs", id("1"), "inputs.json")
	write(`{"inputs":{"weights":"recipe:`+id("b")+`"}}`, "baselines", "x", "baseline.json")
	write(`{"weights":"recipe:`+id("c")+`"}`, "backbones", id("a")+".json")
	s.write(500, "backbones", id("a")+".work", "checkpoints", "step-3", "model.safetensors")
	s.write(300, "backbones", "."+id("b")+".tmp-9", "model.safetensors")
	held, err := lease.Acquire(s.path("backbones", id("e")+".work"), lease.Options{})
	s.check(err)
	defer held.Release()

	s.frees(s.options(), "checkpoint backbones/"+id("a")+".work/checkpoints", "leftover backbones/."+id("b")+".tmp-9")
	o := s.options()
	o.Backbones = true
	r := s.frees(o, "backbone backbones/"+id("d"), "backbone backbones/"+id("d")+".work", "backbone backbones/"+id("d")+".toml")
	if len(r.Kept) != 1 || !strings.HasSuffix(r.Kept[0].Path, id("e")+".work") {
		t.Errorf("kept %v", r.Kept)
	}
	// What cannot be read may use any of them.
	s.write(10, "backbones", id("f"), "config.json")
	write(`{`, "runs", id("2"), "inputs.json")
	if r, err := gc.Free(o); err == nil || len(r.Items) != 0 {
		t.Errorf("with inputs that cannot be read: %v, %v", r.Items, err)
	}
}

func TestTheCacheIsFreedWhenAsked(t *testing.T) {
	s := newSpace(t)
	for _, folder := range []string{"unpacked", "examples", "texts"} {
		s.write(100, "cache", folder, "0123-4567")
	}
	s.write(100, "cache", "digests", "abc.json")
	s.write(100, "cache", "builtin-3", "demo", "corpus.jsonl")
	s.frees(s.options())
	o := s.options()
	o.Cache = true
	s.frees(o, "cache cache/unpacked/0123-4567", "cache cache/examples/0123-4567", "cache cache/texts/0123-4567")
}

func TestAnEmptyPlaceHasNothingToFree(t *testing.T) {
	r, err := gc.Free(gc.Options{Workspace: filepath.Join(t.TempDir(), "none"), Backbones: true, Cache: true})
	if err != nil || len(r.Items) != 0 || len(r.Kept) != 0 || r.Bytes != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// An item that cannot be freed is reported and stops no other.
func TestWhatCannotBeFreedIsToldAndTheRestIsFreed(t *testing.T) {
	s := newSpace(t)
	for _, letter := range []string{"a", "b"} {
		s.run(id(letter), event.StateDone)
		s.write(10, "runs", id(letter), "checkpoints", ".new-1", "x")
	}
	s.check(os.Chmod(s.path("runs", id("a"), "checkpoints"), 0o555))
	defer os.Chmod(s.path("runs", id("a"), "checkpoints"), 0o755)
	unprivileged(t, s.root)
	r, err := gc.Free(s.options())
	if err == nil || !strings.Contains(err.Error(), id("a")) || len(r.Items) != 1 {
		t.Errorf("%v, %v", s.found(r), err)
	}
}
