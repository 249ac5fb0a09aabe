package sweeps

import (
	"fmt"
	"sort"
	"strings"
)

// Semantics is the version of each component that a result depends on. A version
// is raised by one when the same settings begin to mean another computation: the
// runs get new ids, and plan shows runs with the old ids as stale. A component that
// is absent has version 1, which ids leave out.
type Semantics map[string]int

// CurrentSemantics are the versions of this program.
func CurrentSemantics() Semantics { return Semantics{} }

// EarlierSemantics are the version sets of former programs, newest first.
func EarlierSemantics() []Semantics { return nil }

func (s Semantics) write(b *strings.Builder, components []string) {
	sort.Strings(components)
	for _, component := range components {
		if version := s[component]; version > 1 {
			fmt.Fprintf(b, "semantics %s = %d\n", component, version)
		}
	}
}

// components lists the components that a run's result depends on.
func components(c RunConfig) []string {
	list := []string{
		"encoder", "tokenizer", "batch." + c.Data.Order, "rescale." + c.Model.Target,
		"loss." + c.Loss.Kind, "regularizer." + c.Regularizer.Kind, "schedule." + c.Train.Schedule, "optimizer",
	}
	if auto := c.Model.Rescale.Auto; auto != "" {
		list = append(list, "rescale."+auto)
	}
	if c.Selects() {
		list = append(list, "select")
	}
	return list
}

func recipeComponents() []string { return []string{"mlm", "tokenizer", "optimizer"} }
