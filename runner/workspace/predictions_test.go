package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/metrics/record"
	"headroom/runner/workspace"
)

func TestAPredictionKeepsTheDateOfItsFirstRecording(t *testing.T) {
	w, err := workspace.OpenOrCreate(filepath.Join(t.TempDir(), "ws"))
	if err != nil {
		t.Fatal(err)
	}
	revision, err := w.WriteSweep([]byte("name = \"s\"\n"), record.Manifest{Sweep: "s"})
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	record := func(revision, verdict string, n int) {
		t.Helper()
		if err := w.RecordPredictions("s", revision, []workspace.Prediction{{Claim: "a", Verdict: verdict, Date: day(n), Digest: "sha256:0", Finished: n - 1, Runs: 4}}); err != nil {
			t.Fatal(err)
		}
	}
	record(revision, "OK", 1)
	record(revision, "OK", 2)
	record(revision, "FAIL", 3)
	record("0002", "FAIL", 4)
	record("0002", "OK", 5)
	got, err := w.Predictions("s")
	if err != nil {
		t.Fatal(err)
	}
	list := got["a"]
	if len(got) != 1 || len(list) != 3 || list[0].Verdict != "OK" || !list[0].Date.Equal(day(1)) || list[0].Finished != 0 ||
		list[1].Verdict != "FAIL" || !list[1].Date.Equal(day(3)) || list[2].Verdict != "OK" || !list[2].Date.Equal(day(5)) {
		t.Errorf("recorded %+v", got)
	}
	// They are no revision of the sweep.
	if revisions, err := w.Revisions("s"); err != nil || len(revisions) != 1 {
		t.Errorf("revisions %v, %v", revisions, err)
	}
	path := filepath.Join(w.Root, "sweeps", "s", revision+".predictions")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), `"FAIL"`, `"OKAY"`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Predictions("s"); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a changed file is read: %v", err)
	}
}
