package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headroom/data/kept"
	"headroom/data/source"
	"headroom/docs"
	"headroom/internal/nouns"
	"headroom/reports/calibration"
	"headroom/runner/plan"
	"headroom/runner/probe"
)

// probedUnasked is the size of weights in bytes up to which plan always probes a backbone, in about a second. The
// figures are kept.
const probedUnasked = 16 << 20

// planChance has the predictions for a planned run.
type planChance struct {
	ID string `json:"id"`
	prediction
}

// shippedRules returns the rules that come with the program.
func shippedRules() (calibration.Rules, error) {
	return calibration.ParseRules("docs/calibration/rates/rule.json", docs.Rule())
}

// chancesOf returns predictions for the runs of a plan that are not trained yet and whose backbone is here, in the
// plan's order. It probes small backbones always, and all of them if all is true. The notices name what is left out,
// and faults of single backbones, which are no error of the plan.
func (a *app) chancesOf(ctx context.Context, s sweepRef, p *plan.Plan, all bool, rules calibration.Rules) (list []planChance, notices []string, err error) {
	resolver, err := a.resolver(s.base)
	if err != nil {
		return nil, nil, err
	}
	type backboneSetting struct {
		backbone string
		setting  settingKey
	}
	keys := make([]backboneSetting, len(p.Runs))
	settings, seen := map[string][]predictedSetting{}, map[backboneSetting]bool{}
	var backbones []string
	for i, run := range p.Runs {
		f, name := predictedSettingOf(run.Config), run.Config.Model.Backbone
		keys[i] = backboneSetting{name, f.key()}
		if run.State.Finished() || run.ID == "" || seen[keys[i]] {
			continue
		}
		seen[keys[i]] = true
		if settings[name] == nil {
			backbones = append(backbones, name)
		}
		settings[name] = append(settings[name], f)
	}
	known, waiting := map[backboneSetting]prediction{}, 0
	for _, name := range backbones {
		folder := backboneFolder(p, resolver, name)
		if folder == "" {
			continue // its runs are unresolved, which the plan says
		}
		list := settings[name]
		m, ok, err := a.probedOnce(ctx, kept.Store{Dir: resolver.CacheDir}, folder, casesOf(list), all)
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil:
			notices = append(notices, fmt.Sprintf("no chance of collapse for backbone %q: %v", name, err))
		case !ok:
			waiting++
		default:
			for _, f := range predictAll(list, m, rules) {
				known[backboneSetting{name, f.key()}] = f.prediction
			}
		}
	}
	if waiting > 0 {
		notices = append(notices, fmt.Sprintf("the chance of collapse is not known of %s: plan --chances probes what takes longer", nouns.Count(waiting, "backbone")))
	}
	for i, run := range p.Runs {
		if o, ok := known[keys[i]]; ok && !run.State.Finished() {
			list = append(list, planChance{string(run.ID), o})
		}
	}
	return list, notices, nil
}

// backboneFolder returns the folder of a planned run's backbone; "" if it does not exist yet.
func backboneFolder(p *plan.Plan, r *source.Resolver, name string) string {
	if recipe, ok := strings.CutPrefix(name, "recipe:"); ok {
		for _, made := range p.Recipes {
			if made.Name == recipe && made.State.Finished() {
				return made.Folder
			}
		}
		return ""
	}
	folder, err := r.Model(name)
	if err != nil {
		return ""
	}
	return folder
}

// probedOnce returns the figures of a backbone's cases: the kept ones, or new ones if probing is quick or all is
// true. Otherwise ok is false.
func (a *app) probedOnce(ctx context.Context, store kept.Store, folder string, cases []probe.Case, all bool) (m probed, ok bool, err error) {
	weights, err := filepath.Glob(filepath.Join(folder, "*.safetensors"))
	if err != nil {
		return m, false, err
	}
	size := int64(0)
	for _, path := range weights {
		if info, err := os.Stat(path); err == nil {
			size += info.Size()
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return m, false, err
	}
	key, err := kept.KeyOf(fmt.Sprintf("chances 1 %v", cases), append(files, weights...)...)
	if err != nil {
		return m, false, err
	}
	if text, found := store.Get(key); found && json.Unmarshal([]byte(text), &m) == nil && len(m.InfoNCEs) == len(cases) {
		return m, true, nil
	}
	if size > probedUnasked && !all {
		return m, false, nil
	}
	pairs, err := a.probePairs("")
	if err != nil {
		return m, false, err
	}
	report, err := probe.Model(ctx, folder, folder, pairs, probe.Options{Backend: "go", Cases: cases})
	if err != nil {
		return m, false, err
	}
	m = probedOf(report)
	text, err := json.Marshal(m)
	if err == nil {
		store.Put(key, string(text))
	}
	return m, true, err
}
