package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"headroom/internal/seal"
)

// predictionsExtension is the extension of the file beside a revision's manifest.
const predictionsExtension = ".predictions"

// Prediction is the expected verdict of a claim in a claims file, recorded before a sweep
// ran.
type Prediction struct {
	Claim   string    `json:"claim"`
	Verdict string    `json:"predicted"`
	Date    time.Time `json:"date"`
	// File is the claims file, Digest its "sha256:…".
	File   string `json:"file"`
	Digest string `json:"digest"`
	// Finished is how many of the sweep's Runs were finished then. With 0 it is a real
	// prediction.
	Finished int `json:"finished"`
	Runs     int `json:"runs"`
}

type predictions struct {
	Schema      int          `json:"schema"`
	Predictions []Prediction `json:"predictions"`
}

// RecordPredictions keeps predictions beside a revision of a sweep. If the last prediction
// of a claim is the same, that one stays, with its date.
func (w Workspace) RecordPredictions(sweep, revision string, list []Prediction) error {
	known, err := w.Predictions(sweep)
	if err != nil {
		return err
	}
	var fresh []Prediction
	for _, p := range list {
		if last := known[p.Claim]; len(last) == 0 || last[len(last)-1].Verdict != p.Verdict {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	path := w.sweepFile(sweep, revision, predictionsExtension)
	kept, err := readPredictions(path)
	if err != nil {
		return err
	}
	text, err := seal.JSON(predictions{1, append(kept, fresh...)})
	if err == nil {
		err = replaceFile(w.disk, path, text)
	}
	if err != nil {
		return fmt.Errorf("record predictions of sweep %q: %w", sweep, err)
	}
	return nil
}

// Predictions returns a sweep's recorded predictions by claim, in the order of recording.
func (w Workspace) Predictions(sweep string) (map[string][]Prediction, error) {
	folder := filepath.Join(w.Root, "sweeps", sweep)
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read predictions of sweep %q: %w", sweep, err)
	}
	out := map[string][]Prediction{}
	for _, entry := range entries { // by name, so by revision
		if !strings.HasSuffix(entry.Name(), predictionsExtension) || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		list, err := readPredictions(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			out[p.Claim] = append(out[p.Claim], p)
		}
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b Prediction) int { return a.Date.Compare(b.Date) })
	}
	return out, nil
}

// readPredictions reads one file, which need not exist. A prediction cannot be made again
// later, so a damaged file is an error.
func readPredictions(path string) ([]Prediction, error) {
	var p predictions
	err := seal.ReadJSON(path, &p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read predictions %s: %w; move the file away to continue without its predictions", path, err)
	}
	return p.Predictions, nil
}
