package compare

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Axis is a quantity besides backbone, k and seed that a sweep varies, with a line's value.
// Keys that always vary together with equal values, such as λ of queries and of documents,
// are one axis.
type Axis struct {
	Name, Value string
	cost        bool // its values are points of a cost curve, and not settings of their own
}

// AxisNames returns the names of the axes in which lines differ, in the order of Line.Axes.
func (c *Comparison) AxisNames() []string {
	if len(c.Lines) == 0 {
		return nil
	}
	var out []string
	for _, a := range c.Lines[0].Axes {
		out = append(out, a.Name)
	}
	return out
}

// nameAxes sets the axes of every line, from the keys in which the lines differ.
func nameAxes(lines []*Line) {
	if len(lines) == 0 {
		return
	}
	keys := make([]string, len(lines[0].Variant))
	for i, s := range lines[0].Variant {
		keys[i] = s.Key
	}
	together := slices.Contains(keys, lambdaQuery) && slices.Contains(keys, lambdaDocument)
	for _, line := range lines {
		together = together && Lookup(line.Variant, lambdaQuery) == Lookup(line.Variant, lambdaDocument)
	}
	for _, line := range lines {
		line.Axes = nil
		for _, s := range line.Variant {
			axis := Axis{Name: axisName(s.Key, keys), Value: s.Value, cost: isCost(s.Key)}
			if together && s.Key == lambdaQuery {
				continue
			}
			if together && s.Key == lambdaDocument {
				axis.Name = "λ"
			}
			axis.Value = cmp.Or(axis.Value, "not set")
			line.Axes = append(line.Axes, axis)
		}
	}
}

const (
	lambdaQuery    = "regularizer.lambda_query"
	lambdaDocument = "regularizer.lambda_document"
)

// axisName is the name of a key for people, or the whole key if two keys of a sweep would have the same name.
func axisName(key string, keys []string) string {
	short := func(key string) string {
		switch key {
		case lambdaQuery:
			return "λ_q"
		case lambdaDocument:
			return "λ_d"
		}
		last := key[strings.LastIndex(key, ".")+1:]
		if last == "kind" {
			return strings.TrimSuffix(key, ".kind")
		}
		return last
	}
	name := short(key)
	for _, other := range keys {
		if other != key && short(other) == name {
			return key
		}
	}
	return name
}

// CompareValues orders settings: numbers by their values, then words by their bytes.
func CompareValues(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	case (errX == nil) != (errY == nil):
		return cmp.Compare(oneIf(errX != nil), oneIf(errY != nil))
	}
	return cmp.Compare(a, b)
}

// orderLines sorts by backbone and then by the values of the axes.
func orderLines(lines []*Line) {
	sort.SliceStable(lines, func(a, b int) bool {
		order := cmp.Compare(lines[a].Backbone, lines[b].Backbone)
		for i := range lines[a].Variant {
			order = cmp.Or(order, CompareValues(lines[a].Variant[i].Value, lines[b].Variant[i].Value))
		}
		return order < 0
	})
}

// AxesText names a line's axes and their values: "λ 0.01, lr 0.002"; "" if it has none.
func (l *Line) AxesText() string { return axesText(l.Axes) }

func axesText(axes []Axis) string {
	var words []string
	for _, a := range axes {
		words = append(words, a.Name+" "+a.Value)
	}
	return strings.Join(words, ", ")
}

// CostText is the text of the axes that make a cost curve: "λ 0.01".
func (l *Line) CostText() string {
	return axesText(slices.DeleteFunc(slices.Clone(l.Axes), func(a Axis) bool { return !a.cost }))
}

// overCost reports whether the line is one of several that make a cost curve.
func (l *Line) overCost() bool {
	return slices.ContainsFunc(l.Axes, func(a Axis) bool { return a.cost })
}
