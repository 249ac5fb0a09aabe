// Package checkpoint keeps training state in folders that are whole or not
// there: written beside, synced, renamed, and listed with their digests in a
// MANIFEST. A damaged one is passed over for the one before it.
package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"headroom/models/safetensors"
)

// The files of a checkpoint folder.
const (
	WeightsFile   = "model.safetensors"
	OptimizerFile = "optimizer.safetensors"
	StateFile     = "state.json"
	ManifestFile  = "MANIFEST"
)

// State is what the tensors do not say.
type State struct {
	Format int    `json:"format"` // 1
	Run    string `json:"run"`    // the id of the run or recipe: a checkpoint of another is refused
	Step   int    `json:"step"`   // steps done: the next step's number, and the data cursor
	// Updates is the optimizer's count, for its bias correction.
	Updates int `json:"updates"`
	// Final: training is over, and the optimizer's moments are gone.
	Final bool `json:"final,omitempty"`
}

// Save writes dir/step-<s> and returns the digest of its weights. The two newest
// checkpoints are kept: the new one and the one to fall back on. moments may be
// nil for a final state.
func Save(dir string, state State, weights, moments []safetensors.Tensor) (digest string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("save checkpoint of step %d in %q: %w", state.Step, dir, err)
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := sweep(dir); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(dir, tempPrefix)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	state.Format = 1
	files := []string{WeightsFile, StateFile}
	if err := safetensors.Write(filepath.Join(temp, WeightsFile), weights, nil); err != nil {
		return "", err
	}
	if moments != nil {
		files = append(files, OptimizerFile)
		if err := safetensors.Write(filepath.Join(temp, OptimizerFile), moments, nil); err != nil {
			return "", err
		}
	}
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return "", err
	}
	if err := writeSynced(filepath.Join(temp, StateFile), append(text, '\n')); err != nil {
		return "", err
	}
	slices.Sort(files)
	var manifest strings.Builder
	for _, name := range files {
		sum, err := fileSum(filepath.Join(temp, name))
		if err != nil {
			return "", err
		}
		if name == WeightsFile {
			digest = "sha256:" + sum
		}
		fmt.Fprintf(&manifest, "%s  %s\n", sum, name)
	}
	if err := writeSynced(filepath.Join(temp, ManifestFile), []byte(manifest.String())); err != nil {
		return "", err
	}
	if err := syncFolder(temp); err != nil {
		return "", err
	}
	final := filepath.Join(dir, prefix+strconv.Itoa(state.Step))
	if err := replace(temp, final); err != nil {
		return "", err
	}
	if err := syncFolder(dir); err != nil {
		return "", err
	}
	return digest, retain(dir, 2)
}

const (
	prefix     = "step-"
	tempPrefix = ".new-"
	oldPrefix  = ".old-"
)

// replace renames temp to final, where an earlier attempt may have left the same step.
func replace(temp, final string) error {
	if _, err := os.Stat(final); err == nil {
		old := filepath.Join(filepath.Dir(final), oldPrefix+filepath.Base(final))
		if err := os.RemoveAll(old); err != nil {
			return err
		}
		if err := os.Rename(final, old); err != nil {
			return err
		}
		defer os.RemoveAll(old)
	}
	return os.Rename(temp, final)
}

// sweep removes what a killed attempt left half written.
func sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) || strings.HasPrefix(e.Name(), oldPrefix) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// retain removes all but the newest n checkpoints.
func retain(dir string, n int) error {
	steps, err := Steps(dir)
	if err != nil {
		return err
	}
	for _, s := range steps[min(n, len(steps)):] {
		if err := os.RemoveAll(filepath.Join(dir, prefix+strconv.Itoa(s))); err != nil {
			return err
		}
	}
	return nil
}

// Only removes every checkpoint but the newest: what a finished run keeps.
func Only(dir string) error { return retain(dir, 1) }

// Steps lists the checkpoints of a folder, newest first; none where it is not there.
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

func writeSynced(path string, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}

func syncFolder(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
