package sweeps

import (
	"fmt"
	"sort"
	"strings"
)

// Semantics is the version of each component whose meaning a result depends on.
// A component is raised by one when the same settings begin to mean another
// computation: its runs get new ids and those under the old ones plan as stale.
// A component that is absent is at version 1, which ids leave out.
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

// components are those that a run's result depends on.
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
