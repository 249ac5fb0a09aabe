package sweeps

import (
	"math"
	"reflect"
	"slices"
	"strings"

	"headroom/metrics/stability"
)

// Settings are thresholds that replace a run's own, to judge the run again.
type Settings []setting

type setting struct {
	field field
	value reflect.Value
	file  string
}

// thresholdSchema has the keys of thresholds alone: stability.stop changes no verdict.
func thresholdSchema() schema {
	whole := runSchema()
	fields := slices.DeleteFunc(slices.Clone(whole.fields), func(f field) bool { return f.identity != "stop" })
	return schema{fields: fields, rules: whole.rules}
}

// LoadSettings reads a TOML file of thresholds, with keys as a sweep has them.
// Its error is Faults, or says why the file cannot be read.
func LoadSettings(path string) (Settings, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	doc, syntax := readDocument(path, text)
	if syntax != nil {
		return nil, Faults{*syntax}
	}
	var settings Settings
	var faults Faults
	schema := thresholdSchema()
	for _, l := range doc.leaves {
		if l.emptyTable() && schema.hasTable(l.key()) {
			continue
		}
		f, r, ok := schema.field(l.key())
		if !ok {
			faults.add(schema.noThreshold(path, l.key(), shortText(doc.any(l.value))))
			continue
		}
		v, fault := doc.decode(l.value, f, r)
		if fault != nil {
			faults.add(*fault)
			continue
		}
		settings = append(settings, setting{f, v, path})
	}
	if len(doc.leaves) == 0 {
		faults.add(Fault{File: path, Message: "sets no threshold", Allowed: "keys such as stability.empty.share = 0.2"})
	}
	return settings, faults.orNil()
}

// ParseSettings reads KEY=VALUE arguments. Its error is Faults.
func ParseSettings(args []string) (Settings, error) {
	var settings Settings
	var faults Faults
	schema := thresholdSchema()
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" {
			faults.add(Fault{File: commandLine, Message: "cannot read setting " + quote(arg), Allowed: "KEY=VALUE, such as stability.empty.share=0.2"})
			continue
		}
		f, r, known := schema.field(key)
		switch {
		case !known:
			faults.add(schema.noThreshold(commandLine, key, shortText(value)))
			continue
		case slices.ContainsFunc(settings, func(s setting) bool { return s.field.key == key }):
			faults.add(Fault{File: commandLine, Key: key, Value: shortText(value), Message: "is set twice"})
			continue
		}
		doc, item, ok := overrideValue(f, value)
		if !ok {
			faults.add(Fault{File: commandLine, Key: key, Value: shortText(value), Message: notTOML(value), Allowed: r.allowed})
			continue
		}
		v, fault := doc.decode(item, f, r)
		if fault != nil {
			faults.add(*fault)
			continue
		}
		settings = append(settings, setting{f, v, commandLine})
	}
	return settings, faults.orNil()
}

// noThreshold returns the fault for a key that is no threshold.
func (s schema) noThreshold(file, key, value string) Fault {
	if key == "stability.stop" {
		return Fault{File: file, Key: key, Value: value, Message: "is no threshold: it ends runs, and these have ended", Allowed: "thresholds of detectors"}
	}
	if isRetired(key) {
		return Fault{File: file, Key: key, Value: value, Message: "is a threshold of a detector that is gone; no_progress warns instead", Allowed: "thresholds of detectors", Near: "stability.no_progress.accuracy"}
	}
	f := s.unknown(file, key, value)
	if whole := "stability." + key; f.Near == "" {
		f.Near = nearest(whole, keysOf(s.fields))
	}
	return f
}

// ApplyTo returns the thresholds with the settings in place. Its error is Faults, if a
// lower threshold would then be above its upper one.
func (s Settings) ApplyTo(th stability.Thresholds) (stability.Thresholds, error) {
	c := RunConfig{Stability: StabilityConfig{Thresholds: th}}
	file := commandLine
	for _, one := range s {
		one.field.of(reflect.ValueOf(&c).Elem()).Set(one.value)
		file = one.file
	}
	var faults Faults
	for _, f := range crossedThresholds(c.Stability.Thresholds) {
		f.File = file
		faults.add(f)
	}
	return c.Stability.Thresholds, faults.orNil()
}

// Lines returns each setting as KEY = VALUE.
func (s Settings) Lines() []string {
	var words []string
	for _, one := range s {
		words = append(words, one.field.key+" = "+literal(one.value))
	}
	return words
}

// Variant is one threshold at one value.
type Variant struct {
	Key   string
	Value float64
	// Detector is the part of the key that names the detector.
	Detector string
	// Settings set the one key.
	Settings Settings
}

// factors are the multiples at which a threshold is tried.
var factors = [...]float64{0.5, 0.8, 1, 1.25, 2}

// Variants lists values for each numeric threshold of the named detectors: its values in
// the given thresholds, times 0.5, 0.8, 1, 1.25 and 2, as far as the key accepts them. They
// are in the order of keys, and ascending.
func Variants(detectors []string, of ...stability.Thresholds) []Variant {
	var variants []Variant
	schema := thresholdSchema()
	for _, f := range schema.fields {
		detector, _, _ := strings.Cut(strings.TrimPrefix(f.key, "stability."), ".")
		if !slices.Contains(detectors, detector) {
			continue
		}
		var values []float64
		for _, th := range of {
			own := f.of(reflect.ValueOf(RunConfig{Stability: StabilityConfig{Thresholds: th}}))
			for _, factor := range factors {
				switch {
				case own.CanInt():
					values = append(values, math.Round(float64(own.Int())*factor))
				case own.CanFloat():
					values = append(values, roundedTo4Digits(own.Float()*factor))
				}
			}
		}
		slices.Sort(values)
		for _, x := range slices.Compact(values) {
			v := reflect.New(f.typ).Elem()
			if v.CanInt() {
				v.SetInt(int64(x))
			} else {
				v.SetFloat(x)
			}
			if schema.rules[f.key].check(v) == "" {
				variants = append(variants, Variant{f.key, x, detector, Settings{{f, v, commandLine}}})
			}
		}
	}
	return variants
}

// roundedTo4Digits is a number to four digits, so that 0.15 × 0.8 is 0.12.
func roundedTo4Digits(x float64) float64 {
	if x == 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(x))))
	return math.Round(x*scale) / scale
}
