package sweeps

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Notices returns a sentence for each setting that is allowed but seldom meant. It
// names the key, its value and the consequence.
func (c RunConfig) Notices() []string {
	var list []string
	steps := c.Train.Steps
	note := func(key string, value int, format string, args ...any) {
		list = append(list, fmt.Sprintf("%s = %d is more than train.steps = %d: ", key, value, steps)+fmt.Sprintf(format, args...))
	}
	if n := c.Evaluate.Every; n > steps && len(c.Evaluate.During) > 0 {
		chosen := ""
		if c.Selects() {
			chosen = `, and checkpoint.select = "best" has only that model to choose from`
		}
		note("evaluate.every", n, "the dev data are measured once, after the last step%s", chosen)
	}
	if len(c.Evaluate.Final) > 0 && len(c.Evaluate.Measures) == 0 {
		list = append(list, fmt.Sprintf("evaluate.measures = []: nothing is measured on evaluate.final = %q", c.Evaluate.Final))
	}
	config := reflect.ValueOf(&c).Elem()
	for _, f := range runFields() {
		if !f.same(config, runDefaults()) && isUnread(&c, f.key) {
			list = append(list, fmt.Sprintf("%s = %s is not read %s", f.key, literal(f.of(config)), c.whyUnread(f.key)))
		}
	}
	if n := c.Checkpoint.Every; n > steps {
		note("checkpoint.every", n, "nothing is saved before the last step, so that a run that is killed begins again")
	}
	if n := c.Regularizer.RampSteps; n != nil && *n > steps && c.Regularizer.Kind != "none" && c.Regularizer.RampKind != "constant" {
		share := float64(steps-1) / float64(*n)
		if c.Regularizer.RampKind == "quadratic" {
			share = math.Pow(share, 2)
		}
		note("regularizer.ramp_steps", *n, "λ ends at %.3g of its full value", share)
	}
	return list
}

// whyUnread names the setting under which a key is not read.
func (c RunConfig) whyUnread(key string) string {
	switch {
	case key == "loss.hardness_strength" && c.Loss.Kind == "infonce":
		return fmt.Sprintf("with loss.hardness = %q", c.Loss.Hardness)
	case strings.HasSuffix(key, ".negatives") && c.Regularizer.Kind != "none", key == "loss.candidates" && c.Loss.Kind == "infonce":
		return "with data.negatives = 0"
	case strings.HasPrefix(key, "loss."):
		return fmt.Sprintf("with loss.kind = %q", c.Loss.Kind)
	}
	return fmt.Sprintf("with regularizer.kind = %q", c.Regularizer.Kind)
}
