package checkpoint_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/models/safetensors"
	"headroom/runner/checkpoint"
)

func tensors(x float32) []safetensors.Tensor {
	return []safetensors.Tensor{{Name: "w", Shape: []int{2}, Data: []float32{x, -x}}}
}

func save(t *testing.T, dir string, step int, x float32) string {
	t.Helper()
	digest, err := checkpoint.Save(dir, checkpoint.State{Run: "run-a", Step: step, Updates: step}, tensors(x), tensors(2*x))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func latest(t *testing.T, dir string) (*checkpoint.Loaded, []string) {
	t.Helper()
	var notices []string
	l, err := checkpoint.Latest(dir, "run-a", nil, func(m string) { notices = append(notices, m) })
	if err != nil {
		t.Fatal(err)
	}
	if l != nil {
		t.Cleanup(func() { l.Close() })
	}
	return l, notices
}

func TestTheNewestTwoAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "checkpoints")
	for step := range 4 {
		save(t, dir, step*10, float32(step))
	}
	steps, err := checkpoint.Steps(dir)
	if err != nil || !slices.Equal(steps, []int{30, 20}) {
		t.Fatalf("kept %v (%v)", steps, err)
	}
	l, notices := latest(t, dir)
	w, err := l.Weights.Float32("w")
	if err != nil || l.Step != 30 || w[0] != 3 || len(notices) != 0 {
		t.Fatalf("step %d, weights %v, notices %v (%v)", l.Step, w, notices, err)
	}
	if err := checkpoint.KeepFinal(dir, false); err != nil {
		t.Fatal(err)
	}
	if steps, _ := checkpoint.Steps(dir); !slices.Equal(steps, []int{30}) {
		t.Fatalf("kept %v", steps)
	}
}

func TestADamagedCheckpointGivesWayToTheOneBefore(t *testing.T) {
	for _, file := range []string{checkpoint.WeightsFile, checkpoint.OptimizerFile, checkpoint.StateFile, checkpoint.ManifestFile} {
		for _, fault := range []string{"missing", "cut", "flipped"} {
			t.Run(file+" "+fault, func(t *testing.T) {
				dir := t.TempDir()
				save(t, dir, 1, 1)
				save(t, dir, 2, 2)
				path := filepath.Join(dir, "step-2", file)
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				switch fault {
				case "missing":
					err = os.Remove(path)
				case "cut":
					err = os.WriteFile(path, text[:len(text)/2], 0o644)
				case "flipped":
					text[len(text)/2] ^= 1
					err = os.WriteFile(path, text, 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
				l, notices := latest(t, dir)
				if l == nil || l.Step != 1 || len(notices) != 1 || !strings.Contains(notices[0], "step-2") {
					t.Fatalf("got %+v, notices %v", l, notices)
				}
			})
		}
	}
}

func TestAnotherRunsCheckpointIsRefused(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, 1, 1)
	var notices []string
	l, err := checkpoint.Latest(dir, "run-b", nil, func(m string) { notices = append(notices, m) })
	if l != nil || err != nil || len(notices) != 1 {
		t.Fatalf("got %v, notices %v (%v)", l, notices, err)
	}
}

func TestWhatAKilledAttemptLeftIsIgnoredAndRemoved(t *testing.T) {
	dir := t.TempDir()
	first := save(t, dir, 1, 1)
	if err := os.MkdirAll(filepath.Join(dir, ".new-123"), 0o755); err != nil {
		t.Fatal(err)
	}
	if l, _ := latest(t, dir); l == nil || l.Step != 1 || l.Digest != first {
		t.Fatalf("got %+v", l)
	}
	if again := save(t, dir, 1, 1); again != first {
		t.Fatalf("the same state has digests %s and %s", first, again)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*-*"))
	if err != nil || len(left) != 0 {
		t.Fatalf("left over: %v", left)
	}
}

func TestASaveThatFailsLeavesEarlierOnesWhole(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, 1, 1)
	bad := append(tensors(2), safetensors.Tensor{Name: "w", Shape: []int{1}, Data: []float32{1}})
	if _, err := checkpoint.Save(dir, checkpoint.State{Run: "run-a", Step: 2, Final: true}, bad, nil); err == nil {
		t.Fatal("two tensors of one name were taken")
	}
	if l, notices := latest(t, dir); l == nil || l.Step != 1 || len(notices) != 0 {
		t.Fatalf("got %+v, notices %v", l, notices)
	}
}

func TestNoFolderMeansNoCheckpoint(t *testing.T) {
	if l, _ := latest(t, filepath.Join(t.TempDir(), "none")); l != nil {
		t.Fatalf("got %+v", l)
	}
}
