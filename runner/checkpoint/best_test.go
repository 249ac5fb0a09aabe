package checkpoint_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/runner/checkpoint"
)

// saveBest saves a checkpoint to resume from, or weights alone, and names a best step.
func saveBest(t *testing.T, dir string, step, best int, alone bool) string {
	t.Helper()
	state := checkpoint.State{Run: "run-a", Step: step, Updates: step, WeightsOnly: alone,
		Dev: &checkpoint.Dev{By: "nDCG@10", Evaluated: step, Best: best, Value: .5}}
	moments := tensors(1)
	if alone {
		moments = nil
	}
	digest, err := checkpoint.Save(dir, state, tensors(float32(step)), moments)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func steps(t *testing.T, dir string) []int {
	t.Helper()
	list, err := checkpoint.Steps(dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTheBestIsKeptForAsLongAsACheckpointNamesIt(t *testing.T) {
	dir := t.TempDir()
	saveBest(t, dir, 5, 5, true)
	for _, step := range []int{10, 20, 30} {
		saveBest(t, dir, step, 5, false)
	}
	saveBest(t, dir, 35, 35, true) // a new best, which no checkpoint to resume from names yet
	if got := steps(t, dir); !slices.Equal(got, []int{35, 30, 20, 5}) {
		t.Fatalf("kept %v", got)
	}
	saveBest(t, dir, 40, 35, false)
	if got := steps(t, dir); !slices.Equal(got, []int{40, 35, 30, 5}) {
		t.Fatalf("kept %v: the checkpoint of step 30 still needs the best of step 5", got)
	}
	saveBest(t, dir, 50, 35, false)
	if got := steps(t, dir); !slices.Equal(got, []int{50, 40, 35}) {
		t.Fatalf("kept %v", got)
	}
	if _, err := checkpoint.Save(dir, checkpoint.State{Run: "run-a", Step: 60, Final: true, Dev: &checkpoint.Dev{Best: 35}}, tensors(60), nil); err != nil {
		t.Fatal(err)
	}
	if got, err := checkpoint.SupersededSteps(dir); err != nil || !slices.Equal(got, []int{50}) {
		t.Errorf("superseded once it is final: %v (%v)", got, err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".gone-7"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.KeepFinal(dir, true); err != nil {
		t.Fatal(err)
	}
	if got := steps(t, dir); !slices.Equal(got, []int{60, 35}) {
		t.Errorf("a finished run kept %v", got)
	}
	if left, err := checkpoint.Leftovers(dir); err != nil || len(left) != 0 {
		t.Errorf("a finished run kept %v (%v)", left, err)
	}
	saved, err := checkpoint.OpenWeights(dir, "run-a", 35)
	if err != nil {
		t.Fatal(err)
	}
	if err := saved.Close(); err != nil {
		t.Error(err)
	}
	if err := checkpoint.KeepFinal(dir, false); err != nil || !slices.Equal(steps(t, dir), []int{60}) {
		t.Errorf("without the best it kept %v (%v)", steps(t, dir), err)
	}
}

func TestTrainingDoesNotGoOnFromWeightsAlone(t *testing.T) {
	dir := t.TempDir()
	saveBest(t, dir, 10, 5, false)
	want := saveBest(t, dir, 20, 20, true)
	l, notices := latest(t, dir)
	if l == nil || l.Step != 10 || len(notices) != 0 {
		t.Fatalf("got %+v, notices %v", l, notices)
	}
	best, err := checkpoint.OpenWeights(dir, "run-a", 20)
	if err != nil {
		t.Fatal(err)
	}
	defer best.Close()
	if w, err := best.Weights.Float32("w"); err != nil || w[0] != 20 || best.Digest != want || best.Optimizer != nil {
		t.Errorf("weights %v of %+v (%v)", w, best, err)
	}
	if _, err := checkpoint.OpenWeights(dir, "run-b", 20); err == nil {
		t.Error("another run's weights were taken")
	}
	if _, err := checkpoint.Save(dir, checkpoint.State{Run: "run-a", Step: 30}, tensors(1), nil); err == nil {
		t.Error("a point to go on from was saved without moments")
	}
}

func TestACheckpointWhoseBestIsGoneCanBeRefused(t *testing.T) {
	dir := t.TempDir()
	saveBest(t, dir, 10, 10, false)
	saveBest(t, dir, 20, 15, false) // there is no step 15
	usable := func(s checkpoint.State) error {
		l, err := checkpoint.OpenWeights(dir, "run-a", s.Dev.Best)
		if err != nil {
			return err
		}
		return l.Close()
	}
	var notices []string
	l, err := checkpoint.Latest(dir, "run-a", usable, func(m string) { notices = append(notices, m) })
	if err != nil || l == nil || l.Step != 10 || len(notices) != 1 || !strings.Contains(notices[0], "step-15") {
		t.Fatalf("got %+v, notices %v (%v)", l, notices, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// Training that went back to an earlier checkpoint leaves a future that it gave up.
func TestAnAbandonedFutureGoesWithTheNextCheckpoint(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []int{10, 20, 13} {
		save(t, dir, step, 1)
	}
	if got := steps(t, dir); !slices.Equal(got, []int{13, 10}) {
		t.Fatalf("kept %v", got)
	}
}

func TestAReplacementThatWasCutShortIsUndone(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, 1, 1)
	want := save(t, dir, 2, 2)
	if err := os.Rename(filepath.Join(dir, "step-2"), filepath.Join(dir, ".old-step-2")); err != nil {
		t.Fatal(err)
	}
	if l, notices := latest(t, dir); l == nil || l.Digest != want || len(notices) != 0 {
		t.Fatalf("got %+v, notices %v", l, notices)
	}
	// If the new one is there already, the old one is a leftover.
	if err := os.Mkdir(filepath.Join(dir, ".old-step-2"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".gone-0"), 0o755); err != nil {
		t.Fatal(err)
	}
	if l, _ := latest(t, dir); l == nil || l.Digest != want {
		t.Fatalf("got %+v", l)
	}
	save(t, dir, 3, 3)
	if left, err := checkpoint.Leftovers(dir); err != nil || len(left) != 0 {
		t.Errorf("left over: %v (%v)", left, err)
	}
}

func TestWhatIsSupersededIsNeverWhatIsNeeded(t *testing.T) {
	dir := t.TempDir()
	if got, err := checkpoint.SupersededSteps(filepath.Join(dir, "none")); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	for _, step := range []int{10, 20} {
		saveBest(t, dir, step, 10, false)
	}
	if got, err := checkpoint.SupersededSteps(dir); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	// A copy that somebody put there.
	if err := os.CopyFS(filepath.Join(dir, "step-3"), os.DirFS(filepath.Join(dir, "step-10"))); err != nil {
		t.Fatal(err)
	}
	if got, err := checkpoint.SupersededSteps(dir); err != nil || !slices.Equal(got, []int{3}) {
		t.Errorf("%v %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "step-20", checkpoint.StateFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := checkpoint.SupersededSteps(dir); err != nil || len(got) != 0 {
		t.Errorf("with a damaged newest one: %v %v", got, err)
	}
	if err := checkpoint.KeepFinal(dir, true); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("the best of a damaged state: %v", err)
	}
}

// The best step of a finished run may have been a checkpoint to resume from: its weights stay, the optimizer's state
// is removed.
func TestAFinishedRunKeepsNoOptimizer(t *testing.T) {
	dir := t.TempDir()
	want := saveBest(t, dir, 10, 10, false)
	if _, err := checkpoint.Save(dir, checkpoint.State{Run: "run-a", Step: 20, Final: true, Dev: &checkpoint.Dev{Best: 10}}, tensors(20), nil); err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.KeepFinal(dir, true); err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{10, 20} {
		if _, err := os.Stat(checkpoint.OptimizerPath(dir, step)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("step %d: %v", step, err)
		}
	}
	best, err := checkpoint.OpenWeights(dir, "run-a", 10)
	if err != nil || best.Digest != want {
		t.Fatalf("%+v, %v", best, err)
	}
	if err := best.Close(); err != nil {
		t.Error(err)
	}
}
