package sweeps

import (
	"fmt"
	"reflect"
	"slices"
)

// The words of model.activation. sentence-transformers' files call the first "relu" and use "log1p_relu" for the second:
// a word copied from there would train another model.
const (
	onceLogged  = "log1p_relu"
	twiceLogged = "log1p_log1p_relu"
)

func wrongActivation(v reflect.Value) string {
	word := v.String()
	if word == "relu" {
		return fmt.Sprintf("%q is sentence-transformers' word for log(1+ReLU), which is %q here; its %q is %q here", word, onceLogged, onceLogged, twiceLogged)
	}
	return notOneOf(word, []string{onceLogged, twiceLogged})
}

// Notices returns a sentence for each setting of the whole sweep that may be meant otherwise.
func (s *Spec) Notices() []string {
	for i := len(s.assigned) - 1; i >= 0; i-- {
		a := s.assigned[i]
		if a.key != "model.activation" {
			continue
		}
		has := func(word string) bool {
			return slices.ContainsFunc(a.values, func(v reflect.Value) bool { return v.String() == word })
		}
		if has(onceLogged) && !has(twiceLogged) { // who writes both knows the words
			return []string{fmt.Sprintf("model.activation = %q is log(1+ReLU), in sentence-transformers' files \"relu\"; what those call %q, log(1+log(1+ReLU)), is %q here",
				onceLogged, onceLogged, twiceLogged)}
		}
	}
	return nil
}
