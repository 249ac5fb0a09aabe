package calibration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"headroom/metrics/event"
	"headroom/metrics/risk"
)

// RulesFile has Rules as JSON.
const RulesFile = "rule.json"

// Rules are the rules of a calibration that predict, before training, whether a run is lost.
type Rules struct {
	Schema int    `json:"schema"`
	Sweep  string `json:"sweep"`
	// Runs whose truth is known, and how many of them are lost.
	Runs int `json:"runs"`
	Lost int `json:"lost"`
	// Backbones is the number of backbones.
	Backbones int `json:"backbones"`
	// Pressure is the rule for risk.Setting's Pressure; Lambda is the rule for λ alone, for
	// comparison.
	Pressure Fitted `json:"pressure"`
	Lambda   Fitted `json:"lambda"`
}

// Fitted is a rule with its AUC on runs of backbones to which it was not fitted: NaN if there
// was only one backbone.
type Fitted struct {
	risk.Rule
	AUC event.Value `json:"auc_left_out"`
}

// ErrNoRules is returned when a calibration could fit no rule.
var ErrNoRules = errors.New("no rules")

// rules fits rules to a list of runs; false if all of them ended in the same way.
func rules(sweep string, list []observed) (Rules, bool) {
	r := Rules{Schema: 1, Sweep: sweep, Backbones: len(backbones(list))}
	for _, o := range list {
		if o.truth != Unknown {
			r.Runs++
		}
		if o.lost() {
			r.Lost++
		}
	}
	all := predict(list)
	lambda, pressure := all[0], all[len(all)-1]
	r.Lambda = Fitted{lambda.rule, event.Value(lambda.apart)}
	r.Pressure = Fitted{pressure.rule, event.Value(pressure.apart)}
	return r, lambda.fitted && pressure.fitted
}

func writeRules(sweep string, list []observed) ([]byte, error) {
	r, ok := rules(sweep, list)
	if !ok {
		return nil, nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}

// ReadRules reads the rules that a calibration wrote into a folder. The error wraps
// ErrNoRules if there are none.
func ReadRules(folder string) (Rules, error) {
	path := filepath.Join(folder, RulesFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Rules{}, fmt.Errorf("read calibration %q: %w: there is no %s; headroom judge SWEEP --calibration writes one where some runs are lost and some are not", folder, ErrNoRules, RulesFile)
	}
	if err != nil {
		return Rules{}, fmt.Errorf("read calibration: %w", err)
	}
	return ParseRules(path, text)
}

// ParseRules reads rules; path names them in errors.
func ParseRules(path string, text []byte) (Rules, error) {
	var r Rules
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Rules{}, fmt.Errorf("read calibration %s: %w", path, err)
	}
	if r.Schema != 1 || r.Runs < 1 {
		return Rules{}, fmt.Errorf("read calibration %s: schema %d with %d runs: want schema 1 and at least one run", path, r.Schema, r.Runs)
	}
	return r, nil
}
