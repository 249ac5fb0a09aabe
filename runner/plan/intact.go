package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/data/source"
	"headroom/internal/seal"
	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/runner/vectors"
	"headroom/runner/workspace"
)

// sound is what is remembered of files in which nothing is wrong.
const sound = "sound"

// ModelFolder is the folder of a run's exported model.
func ModelFolder(run string) string { return filepath.Join(run, "model") }

// Intact compares the files of a run with the checksums recorded when they were made: its
// configuration, inputs and provenance, its logs and, if it is finished, the exported
// model. Its error is *seal.Damage if a file is missing or has changed; running the
// sweep makes it again. r remembers the digests of large files.
func Intact(r *source.Resolver, root, id string) error {
	w := workspace.Workspace{Root: root}
	folder := w.Run(id)
	_, err := r.Remember("run", []string{filepath.Join(folder, "config.toml"), filepath.Join(folder, "inputs.json")}, func() (string, error) {
		_, _, err := w.ReadRun(id)
		return sound, err
	})
	if err != nil {
		return missingIsDamage(err)
	}
	if err := w.CheckProvenance(id); err != nil {
		return missingIsDamage(err)
	}
	return IntactResults(r, w.Run(id))
}

// IntactResults compares in this way the files that the attempts at the run in a folder have made.
func IntactResults(r *source.Resolver, folder string) error {
	last, err := intactLogs(r, folder)
	if err != nil || !last.Done {
		return err
	}
	return intactModel(r, folder, last)
}

// ResultsHaveLog returns *seal.Damage if the run in a folder has results and no event log, without
// which it counts as one that has not begun.
func ResultsHaveLog(folder string) error {
	attempts, err := event.Attempts(folder)
	if err != nil {
		return err
	}
	for _, n := range attempts {
		if _, err := os.Stat(event.Path(folder, n)); err == nil {
			return nil
		}
	}
	for _, results := range []string{ModelFolder(folder), filepath.Join(folder, "evaluations"), filepath.Join(folder, "checkpoints")} {
		if entries, err := os.ReadDir(results); err == nil && len(entries) > 0 {
			return &seal.Damage{Path: event.Path(folder, 1), What: fmt.Sprintf("the event log is missing, and there are results in %s: `headroom run` of its sweep makes the run again", results)}
		}
	}
	return nil
}

// missingIsDamage turns the error for a missing file into damage.
func missingIsDamage(err error) error {
	var path *fs.PathError
	if errors.Is(err, fs.ErrNotExist) && errors.As(err, &path) {
		return &seal.Damage{Path: path.Path, What: "it is missing"}
	}
	return err
}

// intactLogs checks every attempt's log and returns the end of the last attempt that finished
// the run; without one, Done is false. A log without faults is not read again until it changes.
func intactLogs(r *source.Resolver, folder string) (last finish, err error) {
	attempts, err := event.Attempts(folder)
	if err != nil {
		return last, err
	}
	for _, n := range attempts {
		path := event.Path(folder, n)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue // its process died at once
		}
		state, err := r.Remember("event log and its end", []string{path}, func() (string, error) {
			if err := event.Check(path); err != nil {
				return err.Error(), nil
			}
			text, err := json.Marshal(finishOf(path))
			return sound + string(text), err
		})
		if err != nil {
			return last, err
		}
		text, isSound := strings.CutPrefix(state, sound)
		if !isSound {
			return last, &seal.Damage{Path: path, What: strings.TrimPrefix(state, path+":")}
		}
		var one finish
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			return last, fmt.Errorf("read what is kept of %s: %w", path, err)
		}
		if one.Done {
			last = one
		}
	}
	return last, nil
}

// IntactModel checks the export of a run in a folder against its manifest, and that
// against the log.
func IntactModel(r *source.Resolver, run string) error {
	last, err := lastFinish(run)
	if err != nil {
		return err
	}
	return intactModel(r, run, last)
}

func intactModel(r *source.Resolver, run string, last finish) error {
	if last.NoModel {
		return nil // there were no finite weights to export
	}
	folder := ModelFolder(run)
	if _, err := os.Stat(folder); err != nil {
		if errors.Is(err, fs.ErrNotExist) && last.Done {
			return &seal.Damage{Path: folder, What: "the exported model is missing"}
		}
		return err
	}
	if err := r.Intact(folder); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(folder, "config.json")); err != nil { // of an export without a manifest
		return missingIsDamage(err)
	}
	found, err := seal.Sum(folder)
	if err != nil {
		return err
	}
	if last.Model != "" && found != last.Model {
		return &seal.Damage{Path: filepath.Join(folder, seal.ManifestFile), What: fmt.Sprintf("it is not the one that the run's log names (%.23s…)", last.Model)}
	}
	return nil
}

// finish is what the end of an attempt's log says of the exported model.
type finish struct {
	// Done is true if the attempt has finished the run.
	Done bool
	// Model is the digest of the export; "" where an older program did not record it.
	Model string
	// NoModel is true if the run ended without an export.
	NoModel bool
}

// finishOf reads an attempt's finish. A log that cannot be read has none.
func finishOf(path string) finish {
	e, err := readEnd(path)
	if err != nil || e.ended == nil || e.ended.State != event.StateDone {
		return finish{}
	}
	model := e.ended.Model
	return finish{true, model, model == event.ModelNone || model == "" && e.judged != nil && e.judged.Verdict == stability.NonFinite}
}

// lastFinish returns the finish of the last attempt that finished the run; without one, Done is false.
func lastFinish(folder string) (finish, error) {
	attempts, err := event.Attempts(folder)
	if err != nil {
		return finish{}, err
	}
	for i := len(attempts) - 1; i >= 0; i-- {
		if last := finishOf(event.Path(folder, attempts[i])); last.Done {
			return last, nil
		}
	}
	return finish{}, nil
}

// Evaluations checks every evaluation in the folder of a run, or of the baselines. It returns
// one error per damaged evaluation; unsealed counts evaluations without checksums.
func Evaluations(r *source.Resolver, folder string) (faults []error, unsealed int) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return []error{err}, 0
	}
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		e, err := record.CheckEvaluation(path, r.FileSum)
		if err == nil && r.Verify {
			for _, fault := range KeptVectors(path, e, true) {
				faults = append(faults, fmt.Errorf("%w: %s", fault, vectorsAgain(path, e)))
			}
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // asked for, not made yet
		case err != nil:
			faults = append(faults, err)
		case e.Files == nil && e.Refused == "":
			unsealed++
		}
	}
	return faults, unsealed
}

// KeptVectors checks the documents' vectors that an evaluation in a folder has kept. Every file has to be there; with
// read set its checksum has to be right too, which costs the reading of all. It returns one error, *seal.Damage, for each
// file that has to be made again, and none where no vectors are kept.
func KeptVectors(folder string, e record.Evaluation, read bool) (faults []error) {
	if !e.KeepsVectors() {
		return nil
	}
	list, err := vectors.ReadList(filepath.Join(folder, record.VectorsFile))
	if err != nil {
		return []error{err}
	}
	for i := range list.Blocks {
		path, err := list.Path(folder, i)
		if err == nil && read {
			_, err = list.Block(folder, i)
		} else if err == nil {
			_, err = os.Stat(path)
		}
		if err = missingIsDamage(err); err != nil {
			faults = append(faults, fmt.Errorf("documents' vectors of %s: %w", e.Dataset, err))
		}
	}
	return faults
}

// vectorsAgain says how an evaluation's documents' vectors are made again.
func vectorsAgain(folder string, e record.Evaluation) string {
	if e.Name != "" {
		return fmt.Sprintf("remove %s, and `headroom run` of the sweep measures it again and keeps them", folder)
	}
	return fmt.Sprintf("`headroom evaluate --run %.8s --on %s --split %s --keep-vectors` makes them again", filepath.Base(filepath.Dir(filepath.Dir(folder))), e.Dataset, e.Split)
}
