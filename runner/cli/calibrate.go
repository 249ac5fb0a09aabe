package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/internal/atomic"
	"headroom/internal/nouns"
	"headroom/models/hf"
	"headroom/reports/calibration"
	"headroom/reports/rejudge"
	"headroom/runner/workspace"
)

// calibrate measures how often the verdicts of finished runs are wrong, and writes the
// calibration's files into a folder.
func (a *app) calibrate(w workspace.Workspace, args []string, runs []rejudge.Run, judgements []rejudge.Judgement, folder string) error {
	var list []calibration.Run
	families := map[string]string{} // by digest of the backbone's weights
	for i, r := range runs {
		config, in, err := w.ReadRun(r.ID)
		if err != nil {
			return err
		}
		run := calibration.Run{ID: r.ID, Label: r.Label, Folder: r.Folder, Verdict: r.Verdict, Episodes: r.Episodes, Config: config, Inputs: in}
		if c := judgements[i].Siblings; c != nil {
			run.Degraded = &c.Degraded
		}
		if family := familyOf(filepath.Join(w.Run(r.ID), "model")); family != "" {
			families[in.Weights] = family
		}
		list = append(list, run)
	}
	for i := range list { // a run without a model has the family of the others of its backbone
		list[i].Family = families[list[i].Inputs.Weights]
	}
	truth, err := os.ReadFile(filepath.Join(folder, calibration.TruthFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if entries, _ := os.ReadDir(folder); err != nil && len(entries) > 0 { // the user's own files may have the names of the report's
		return fmt.Errorf("write calibration %q: it is not empty and has no %s, so it is no calibration of this program: choose a folder that is empty or not there", folder, calibration.TruthFile)
	}
	files, err := calibration.Make(strings.Join(args, ", "), list, truth, a.env.Now())
	if err != nil {
		return err
	}
	if err := atomic.MkdirAll(folder); err != nil {
		return failedError(err)
	}
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		if err := atomic.WriteFile(filepath.Join(folder, name), func(out io.Writer) error {
			_, err := out.Write(files[name])
			return err
		}); err != nil {
			return failedError(err)
		}
	}
	if a.global.json {
		return a.printJSON(calibrationDocument{schema, folder, names, len(list)})
	}
	fmt.Fprintf(a.stdout, "%s: the calibration of %s\n", filepath.Join(folder, calibration.ReportFile), nouns.Count(len(list), "run"))
	return nil
}

// familyOf is the model type of a run's export, "" where there is none.
func familyOf(folder string) string {
	path := filepath.Join(folder, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	config, err := hf.ParseConfig(path, text)
	if err != nil {
		return ""
	}
	return config.ModelType
}

// calibrationDocument is what judge --calibration --json prints.
type calibrationDocument struct {
	Schema int      `json:"schema"`
	Folder string   `json:"folder"`
	Files  []string `json:"files"`
	Runs   int      `json:"runs"`
}
