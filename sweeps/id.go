package sweeps

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"regexp"
	"sort"
	"strings"

	"headroom/metrics/measure"
)

// ID names a run or a recipe: a hex SHA-256 over what decides its result.
type ID string

// Short is the first eight digits, for people.
func (id ID) Short() string { return string(id[:min(8, len(id))]) }

// Valid reports whether the ID has the form of one.
func (id ID) Valid() bool { return regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(string(id)) }

// Inputs are the digests of what a run starts from: "sha256:…", or for Weights
// "recipe:<id>" if a recipe makes them. They enter the id in place of the
// references that led to them, so a folder keeps its runs when it moves.
type Inputs struct {
	Weights   string `json:"weights"`
	Tokenizer string `json:"tokenizer"`
	Data      string `json:"data"`
	// During is the digest of the dev data that selects the checkpoint, "" if none does.
	During string `json:"during,omitempty"`
}

// RunID is the identity of a run under today's semantics.
func RunID(c RunConfig, in Inputs) ID { return CurrentSemantics().RunID(c, in) }

// RunID is the identity of a run under these versions of the components.
func (s Semantics) RunID(c RunConfig, in Inputs) ID {
	var b strings.Builder
	b.WriteString("headroom run 1\n")
	b.WriteString(canonical(c))
	in.write(&b)
	s.write(&b, components(c))
	return digest(b.String())
}

// canonicalSettings writes the settings that decide a run's result, one key per line, in
// the order of their names. A setting at its default is left out, so that a new
// option with a default leaves every old id as it was. References are left out too
// where the digest of an input stands for them; pointKey keeps them, because they
// distinguish the points of one file.
func canonicalSettings(config, defaults reflect.Value, fields []field, skip func(field) bool) string {
	var lines []string
	for _, f := range fields {
		if f.identity != "no" && !f.same(config, defaults) && !skip(f) {
			lines = append(lines, f.key+" = "+literal(f.of(config))+"\n")
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}

func canonical(c RunConfig) string {
	defaults := runDefaults()
	if c.Selects() { // of the measures only the first does
		d := Defaults()
		c.Evaluate.Measures, d.Evaluate.Measures = []string{firstMeasure(c.Evaluate.Measures)}, []string{firstMeasure(d.Evaluate.Measures)}
		defaults = reflect.ValueOf(d)
	}
	return canonicalSettings(reflect.ValueOf(&c).Elem(), defaults, runFields(), func(f field) bool {
		switch {
		case f.key == "model.backbone", f.key == "data.train", f.key == "evaluate.during":
			return true
		case f.identity == "select":
			return !c.Selects()
		case f.identity == "stop":
			return !c.Stability.Stop
		case f.key == "train.warmup":
			return c.Train.WarmupSteps != nil
		case f.key == "regularizer.ramp":
			return c.Regularizer.RampSteps != nil
		}
		return isUnread(&c, f.key)
	})
}

// isUnread reports whether nothing reads a key under the configuration's other keys. Two
// configurations that differ in such a key alone are the same run.
func isUnread(c *RunConfig, key string) bool {
	switch key {
	case "loss.candidates":
		return c.Loss.Kind != "infonce" || c.Data.Negatives == 0
	case "loss.temperature":
		return c.Loss.Kind != "kl"
	case "loss.hardness":
		return c.Loss.Kind != "infonce"
	case "loss.hardness_strength":
		return !c.Loss.Hard()
	case "regularizer.threshold_query", "regularizer.threshold_document":
		return c.Regularizer.Kind != "flops"
	case "regularizer.df_alpha", "regularizer.df_beta":
		return c.Regularizer.Kind != "df_flops"
	case "regularizer.negatives":
		return c.Regularizer.Kind == "none" || c.Data.Negatives == 0
	case "regularizer.lambda_query", "regularizer.lambda_document":
		return c.Regularizer.Kind == "none"
	}
	return false
}

// firstMeasure is the canonical name of the first measure, "" if there is none.
// Another spelling of the measure selects the same step.
func firstMeasure(measures []string) string {
	if len(measures) == 0 {
		return ""
	}
	return measure.Canonical(measures[0])
}

// pointKey identifies a point among those of its file before the inputs are known.
func pointKey(c RunConfig) string {
	key := quote(c.Model.Backbone) + "\n" + quote(c.Data.Train) + "\n" + canonical(c)
	if c.Selects() {
		key += fmt.Sprintf("%q\n", c.Evaluate.During)
	}
	return key
}

func (in Inputs) write(b *strings.Builder) {
	fmt.Fprintf(b, "input weights = %s\ninput tokenizer = %s\ninput data = %s\n", quote(in.Weights), quote(in.Tokenizer), quote(in.Data))
	if in.During != "" {
		fmt.Fprintf(b, "input during = %s\n", quote(in.During))
	}
}

func digest(text string) ID {
	sum := sha256.Sum256([]byte(text))
	return ID(hex.EncodeToString(sum[:]))
}
