package cli

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/experiments"
	"headroom/internal/nouns"
	"headroom/metrics/record"
	"headroom/reports/claims"
	"headroom/reports/compare"
	"headroom/reports/report"
	"headroom/runner/plan"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// claimsFile is the content of a file of claims.
type claimsFile struct {
	name, digest string
	list         []claims.Claim
	own          bool // false for the file that comes with the program
}

// readClaims reads a file of claims; "" reads the file that comes with the program.
func readClaims(path string, shipped func() (string, []byte, error)) (claimsFile, error) {
	name, text, err := path, []byte(nil), error(nil)
	if path == "" {
		name, text, err = shipped()
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return claimsFile{}, fmt.Errorf("read claims: %w", err)
	}
	list, err := claims.Parse(name, text)
	return claimsFile{name: name, digest: fmt.Sprintf("sha256:%x", sha256.Sum256(text)), list: list, own: path != ""}, err
}

// claimsOf reads the claims that a sweep's file names, else the shipped ones.
func claimsOf(s sweepRef) (claimsFile, error) {
	path := s.spec.Claims
	if path != "" && !filepath.IsAbs(path) {
		path = filepath.Join(s.base, path)
	}
	file, err := readClaims(path, experiments.Paper)
	if path != "" && errors.Is(err, fs.ErrNotExist) {
		return file, fmt.Errorf("%s: claims = %q: %w; allowed: a file, from the folder of the sweep's file", s.spec.Path, s.spec.Claims, err)
	}
	return file, err
}

// recordPredictions records the predictions of a sweep's claims for its future runs.
func (a *app) recordPredictions(w workspace.Workspace, file claimsFile, todo *plan.Plan, manifest record.Manifest) error {
	var list []workspace.Prediction
	for _, c := range file.list {
		if c.Predicted != "" {
			list = append(list, workspace.Prediction{Claim: c.ID, Verdict: string(c.Predicted), Date: a.env.Now().UTC(),
				File: file.name, Digest: file.digest, Finished: todo.Count(plan.Done), Runs: len(todo.Runs)})
		}
	}
	return w.RecordPredictions(manifest.Sweep, manifest.Revision, list)
}

// sweepClaims are the claims about a sweep, judged by the recorded results of its runs.
type sweepClaims struct {
	judged []claims.Judgement
	// own is true if the sweep or an option names the claims, and false for those that come
	// with the program.
	own bool
	// published are the numbers of claims of kind value, also those that nobody has entered.
	published []report.Published
}

// sweepClaims judges claims about a sweep. A sweep that was never run lacks the runs of every
// claim.
func (a *app) sweepClaims(ctx context.Context, o claimsOptions) (out sweepClaims, err error) {
	w, err := a.openWorkspace()
	var names []string
	if err == nil {
		names, err = a.sweepNames(w, []string{o.sweep})
	}
	notThere := errors.Is(err, workspace.ErrNone) || errors.Is(err, fs.ErrNotExist)
	if err != nil && !notThere {
		return out, err
	}
	var file claimsFile
	if o.file != "" {
		file, err = readClaims(o.file, experiments.Paper)
	}
	if o.file == "" || notThere {
		var s sweepRef
		if s, err = a.openSweep(o.sweep, nil); err == nil && o.file == "" {
			file, err = claimsOf(s)
		}
	}
	if err != nil {
		return out, err
	}
	sweep, recorded := claims.Sweep{Input: &compare.Input{}}, map[string][]workspace.Prediction{}
	if !notThere {
		if sweep, err = a.loadClaimed(ctx, w, names[0], file); err == nil {
			recorded, err = w.Predictions(names[0])
		}
		if err != nil {
			return out, err
		}
	}
	if out.judged, err = claims.JudgeSweep(file.list, sweep); err != nil {
		return out, err
	}
	for i, c := range file.list {
		addPrediction(&out.judged[i], c, recorded[c.ID])
		if c.Kind == claims.Value {
			out.published = append(out.published, report.Published{On: c.On, Measure: c.Measure, Source: c.Source, Value: c.Value,
				Of: func(r *compare.Run) bool { return sweep.Chosen(c.Points, r) }})
		}
	}
	out.own = file.own
	return out, nil
}

// loadClaimed reads a sweep's runs and the names of their collections.
func (a *app) loadClaimed(ctx context.Context, w workspace.Workspace, name string, file claimsFile) (claims.Sweep, error) {
	out := claims.Sweep{Configs: map[string]sweeps.RunConfig{}, Labels: map[string]string{}}
	s, err := a.openStore(ctx, w)
	if err != nil {
		return out, err
	}
	defer s.Close()
	if out.Input, err = compare.LoadScores(ctx, s, name); err != nil {
		return out, err
	}
	stored, err := s.Runs(ctx, name)
	if err != nil {
		return out, err
	}
	for _, r := range stored {
		var c sweeps.RunConfig
		if err := json.Unmarshal(r.Config, &c); err != nil {
			return out, fmt.Errorf("read run %q: %w", r.Run, err)
		}
		out.Configs[r.Run] = c
	}
	asked, err := s.Collections(ctx, name)
	if err != nil {
		return out, err
	}
	for _, c := range asked {
		if c.Split == record.FinalSplit {
			out.Labels[c.Reference] = c.Label
		}
	}
	_, _, manifest, err := w.Sweep(name)
	if err != nil {
		return out, err
	}
	// ./path starts from the sweep's folder, as in the sweep, or else from the folder of the claims.
	for _, c := range file.list {
		for _, base := range []string{manifest.Base, filepath.Dir(file.name)} {
			if base, err = filepath.Abs(base); err != nil {
				return out, fmt.Errorf("find %q of claim %q: %w", c.On, c.ID, err)
			}
			label, ok := out.Labels[filepath.Join(base, c.On)]
			if _, known := out.Labels[c.On]; ok && !known && strings.HasPrefix(c.On, ".") {
				out.Labels[c.On] = label
			}
		}
	}
	return out, nil
}

// addPrediction adds to a judgement what was predicted, and when.
func addPrediction(j *claims.Judgement, c claims.Claim, recorded []workspace.Prediction) {
	if len(recorded) == 0 {
		if c.Predicted != "" {
			j.Why += "; the prediction was not recorded by a run of the sweep"
		}
		return
	}
	last := recorded[len(recorded)-1]
	verdict := claims.Verdict(last.Verdict)
	j.Predicted = &verdict
	j.Why += fmt.Sprintf("; predicted %s on %s with %d of %s finished (%s)", verdict, last.Date.Format("2006-01-02 15:04 MST"), last.Finished, nouns.Count(last.Runs, "run"), shortDigest(last.Digest))
	if len(recorded) > 1 {
		first := recorded[0]
		j.Why += fmt.Sprintf("; at first, on %s, %s", first.Date.Format("2006-01-02 15:04 MST"), first.Verdict)
	}
	if c.Predicted != verdict {
		j.Why += fmt.Sprintf("; the file now predicts %q", c.Predicted)
	}
}

// shortDigest is the first part of a digest, for comparison by eye.
func shortDigest(digest string) string { return digest[:min(len(digest), len("sha256:")+8)] }
