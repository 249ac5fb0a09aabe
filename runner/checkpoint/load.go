package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headroom/internal/seal"
	"headroom/models/safetensors"
)

// Loaded is a sound checkpoint, open for reading.
type Loaded struct {
	State
	Folder    string
	Digest    string // of the weights, "sha256:…"
	Weights   *safetensors.File
	Optimizer *safetensors.File // nil if State.Final is set, and after OpenWeights
}

// Close releases the files.
func (l *Loaded) Close() error {
	if l.Optimizer == nil {
		return l.Weights.Close()
	}
	return errors.Join(l.Weights.Close(), l.Optimizer.Close())
}

// errWeightsOnly is returned for a checkpoint from which training cannot resume.
var errWeightsOnly = errors.New("kept for its weights only")

// Latest opens the newest sound checkpoint of a run from which training can resume. It
// skips checkpoints that are damaged and those for which usable returns an error, and calls
// notice with the reason. A nil usable accepts all. If no checkpoint is left it returns
// nil: training then starts at its beginning.
func Latest(dir, run string, usable func(State) error, notice func(message string)) (*Loaded, error) {
	if err := mend(dir); err != nil {
		return nil, fmt.Errorf("find checkpoints in %q: %w", dir, err)
	}
	steps, err := Steps(dir)
	if err != nil {
		return nil, fmt.Errorf("find checkpoints in %q: %w", dir, err)
	}
	for _, s := range steps {
		loaded, err := open(folderOf(dir, s), run, s, false)
		if errors.Is(err, errWeightsOnly) {
			continue
		}
		if err != nil {
			notice(fmt.Sprintf("checkpoint %q is damaged and skipped: %v", folderOf(dir, s), err))
			continue
		}
		if usable != nil {
			err = usable(loaded.State)
		}
		if err == nil {
			return loaded, nil
		}
		notice(fmt.Sprintf("checkpoint %q is skipped: %v", folderOf(dir, s), errors.Join(err, loaded.Close())))
	}
	return nil, nil
}

// Check compares every checkpoint in dir with its manifest. It returns an error for each
// damaged one.
func Check(dir, run string) []error {
	steps, err := Steps(dir)
	if err != nil {
		return []error{err}
	}
	var faults []error
	for _, s := range steps {
		state, _ := peek(folderOf(dir, s)) // open reports a state that cannot be read
		l, err := open(folderOf(dir, s), run, s, state.WeightsOnly)
		if err == nil {
			err = l.Close()
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("checkpoint %q is damaged: %w", folderOf(dir, s), err))
		}
	}
	return faults
}

// OpenWeights opens the checkpoint of one step for its weights alone.
func OpenWeights(dir, run string, step int) (*Loaded, error) {
	l, err := open(folderOf(dir, step), run, step, true)
	if err != nil {
		return nil, fmt.Errorf("open the weights of checkpoint %q: %w", folderOf(dir, step), err)
	}
	return l, nil
}

func open(folder, run string, step int, weights bool) (*Loaded, error) {
	if state, err := peek(folder); err == nil && state.WeightsOnly && !weights {
		return nil, errWeightsOnly
	}
	manifest, err := os.ReadFile(filepath.Join(folder, ManifestFile))
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(manifest)), "\n") {
		sum, name, found := strings.Cut(line, "  ")
		if !found || name != filepath.Base(name) {
			return nil, fmt.Errorf("%s: line %q is not «digest  file»", ManifestFile, line)
		}
		if weights && name == OptimizerFile {
			continue
		}
		got, err := seal.SumFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		if got != sum {
			return nil, fmt.Errorf("file %q has digest %s, its manifest says %s", name, got, sum)
		}
		sums[name] = sum
	}
	l := &Loaded{Folder: folder, Digest: "sha256:" + sums[WeightsFile]}
	for _, name := range []string{WeightsFile, StateFile} {
		if sums[name] == "" {
			return nil, fmt.Errorf("%s does not list %q", ManifestFile, name)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, StateFile))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &l.State); err != nil {
		return nil, fmt.Errorf("%s: %w", StateFile, err)
	}
	switch {
	case l.Format != 1:
		return nil, fmt.Errorf("%s: format %d is unknown to this version", StateFile, l.Format)
	case l.Run != run:
		return nil, fmt.Errorf("%s: it belongs to %.12s, not to %.12s", StateFile, l.Run, run)
	case l.Step != step:
		return nil, fmt.Errorf("%s: step %d does not fit the folder's name", StateFile, l.Step)
	case !l.Final && !weights && sums[OptimizerFile] == "":
		return nil, fmt.Errorf("%s does not list %q", ManifestFile, OptimizerFile)
	}
	if l.Weights, err = safetensors.Open(filepath.Join(folder, WeightsFile)); err != nil {
		return nil, err
	}
	if l.Final || weights {
		return l, nil
	}
	if l.Optimizer, err = safetensors.Open(filepath.Join(folder, OptimizerFile)); err != nil {
		return nil, errors.Join(err, l.Weights.Close())
	}
	return l, nil
}
