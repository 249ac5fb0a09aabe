// Package checkpoint keeps training state in folders that are complete or do not exist:
// they are written under another name, synced and renamed. A MANIFEST lists the digests of
// the files. If a checkpoint is damaged, the one before it is used.
//
// Training resumes from the newest checkpoint; the one before it is kept as a
// reserve. If dev data decide which model is the best, its weights are kept as
// long as a checkpoint names it.
package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/atomic"
	"headroom/models/safetensors"
)

// The files of a checkpoint folder.
const (
	WeightsFile   = "model.safetensors"
	OptimizerFile = "optimizer.safetensors"
	StateFile     = "state.json"
	ManifestFile  = "MANIFEST"
)

// State is the training state besides the tensors.
type State struct {
	Format int    `json:"format"` // 1
	Run    string `json:"run"`    // the id of the run or recipe: a checkpoint of another is refused
	Step   int    `json:"step"`   // steps done: the next step's number, and the data cursor
	// Updates is the optimizer's count, for its bias correction.
	Updates int `json:"updates"`
	// Final: training is over, and the optimizer's moments are gone.
	Final bool `json:"final,omitempty"`
	// WeightsOnly: kept for its weights. Training neither resumes from it nor is over.
	WeightsOnly bool `json:"weights_only,omitempty"`
	// Dev is the result of evaluations on dev data up to this step; nil if there are none.
	Dev *Dev `json:"dev,omitempty"`
}

// Dev is the result of the evaluations during training so far.
type Dev struct {
	// By names the quantity. Values with another By are not comparable.
	By string `json:"by"`
	// Evaluated is the step of the last evaluation.
	Evaluated int `json:"evaluated"`
	// Best is the step of the best model, the earliest of equal ones, and Value is its
	// value. Best is 0 before the first evaluation with a value.
	Best  int     `json:"best"`
	Value float64 `json:"value"`
}

// best is the step of the weights that a state needs, -1 for none.
func (s State) best() int {
	if s.Dev == nil || s.Dev.Best == 0 {
		return -1
	}
	return s.Dev.Best
}

// Save writes dir/step-<s> and returns the digest of its weights. It keeps this
// checkpoint, the two newest from which training can resume, and the best that any of
// these names. It removes checkpoints of later steps, which a resumed attempt does not
// use. Without moments the state must be Final or WeightsOnly.
func Save(dir string, state State, weights, moments []safetensors.Tensor) (digest string, err error) {
	return save(atomic.Disk{}, dir, state, weights, moments)
}

func save(disk atomic.Disk, dir string, state State, weights, moments []safetensors.Tensor) (digest string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("save checkpoint of step %d in %q: %w", state.Step, dir, err)
		}
	}()
	if moments == nil && !state.Final && !state.WeightsOnly {
		return "", errors.New("no moments, and neither final nor weights only")
	}
	if err := disk.MkdirAll(dir); err != nil {
		return "", err
	}
	if err := removeLeftovers(dir); err != nil {
		return "", err
	}
	state.Format = 1
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return "", err
	}
	err = disk.ReplaceFolder(folderOf(dir, state.Step), func(f *atomic.Folder) error {
		digest, err = fill(f, append(text, '\n'), weights, moments)
		return err
	})
	if err != nil {
		return "", err
	}
	return digest, retain(dir, state)
}

// fill writes the files of a checkpoint, the list of their digests last.
func fill(f *atomic.Folder, state []byte, weights, moments []safetensors.Tensor) (digest string, err error) {
	var manifest strings.Builder
	put := func(name string, content func(io.Writer) error) (sum string, err error) {
		h := sha256.New()
		err = f.WriteFile(name, func(w io.Writer) error { return content(io.MultiWriter(w, h)) })
		sum = hex.EncodeToString(h.Sum(nil))
		fmt.Fprintf(&manifest, "%s  %s\n", sum, name)
		return sum, err
	}
	sum, err := put(WeightsFile, func(w io.Writer) error { return safetensors.Encode(w, weights, nil) })
	if err == nil && moments != nil {
		_, err = put(OptimizerFile, func(w io.Writer) error { return safetensors.Encode(w, moments, nil) })
	}
	if err == nil {
		_, err = put(StateFile, func(w io.Writer) error { _, err := w.Write(state); return err })
	}
	if err == nil {
		err = f.WriteFile(ManifestFile, func(w io.Writer) error { _, err := io.WriteString(w, manifest.String()); return err })
	}
	return "sha256:" + sum, err
}

const prefix = "step-"

// Steps lists the checkpoints of a folder, newest first; none if it is not there.
func Steps(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		if number, found := strings.CutPrefix(e.Name(), prefix); found && e.IsDir() {
			if s, err := strconv.Atoi(number); err == nil && s >= 0 {
				steps = append(steps, s)
			}
		}
	}
	slices.Sort(steps)
	slices.Reverse(steps)
	return steps, nil
}
