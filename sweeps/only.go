package sweeps

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Filter chooses runs by their configuration; the zero Filter chooses all.
type Filter struct{ terms []term }

// term is one condition: KEY=VALUE, KEY!=VALUE, KEY=~PATTERN or KEY!~PATTERN.
type term struct {
	field   field
	negated bool
	pattern *regexp.Regexp
	// literals are the accepted values if there is no pattern.
	literals []string
}

// ParseOnly reads an expression such as 'model.backbone=~ettin, seed=[1,2]':
// conditions joined by commas or the word "and", all of which must hold. A
// value is typed like TOML and an array means any of its elements; a pattern is
// a regular expression found anywhere in the value.
func ParseOnly(expr string) (Filter, error) {
	var f Filter
	var faults Faults
	if strings.TrimSpace(expr) == "" {
		return f, Faults{{File: commandLine, Key: "--only", Message: "is empty", Allowed: "conditions such as model.rescale=4"}}
	}
	for _, part := range splitTerms(expr) {
		if t, ok := parseTerm(part, &faults); ok {
			f.terms = append(f.terms, t)
		}
	}
	return f, faults.orNil()
}

// Match reports whether every condition holds.
func (f Filter) Match(c RunConfig) bool {
	v := reflect.ValueOf(c)
	for _, t := range f.terms {
		if t.holds(literal(t.field.of(v))) == t.negated {
			return false
		}
	}
	return true
}

// DifferingKeys lists, sorted, the keys for which two filters have different conditions.
func (f Filter) DifferingKeys(other Filter) []string {
	a, b := f.conditions(), other.conditions()
	var keys []string
	for key := range a {
		if a[key] != b[key] {
			keys = append(keys, key)
		}
	}
	for key := range b {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// conditions returns the conditions on each key of a filter, as text.
func (f Filter) conditions() map[string]string {
	texts := map[string][]string{}
	for _, t := range f.terms {
		literals := slices.Sorted(slices.Values(t.literals))
		texts[t.field.key] = append(texts[t.field.key], fmt.Sprintf("%t %q %q", t.negated, t.pattern, literals))
	}
	out := map[string]string{}
	for key, list := range texts {
		slices.Sort(list)
		out[key] = strings.Join(list, "\n")
	}
	return out
}

func (t term) holds(value string) bool {
	if t.pattern != nil {
		return t.pattern.MatchString(strings.Trim(value, `"`))
	}
	return contains(t.literals, value)
}

// splitTerms cuts an expression at each comma or "and" that a condition follows.
// Commas inside arrays and patterns thus stay.
func splitTerms(expr string) []string {
	joint := regexp.MustCompile(`\s*(?:,|\sand\s)\s*([A-Za-z_][A-Za-z0-9_.]*\s*(?:=|!=|!~))`)
	var parts []string
	from := 0
	for _, m := range joint.FindAllStringSubmatchIndex(expr, -1) {
		parts = append(parts, expr[from:m[0]])
		from = m[2]
	}
	return append(parts, expr[from:])
}

func parseTerm(part string, faults *Faults) (term, bool) {
	m := regexp.MustCompile(`(?s)^\s*([^=!~\s]+)\s*(=~|!~|!=|=)\s*(.*?)\s*$`).FindStringSubmatch(part)
	if m == nil || m[3] == "" {
		faults.add(Fault{File: commandLine, Key: "--only", Value: shortText(part), Message: "is not a condition", Allowed: "KEY=VALUE, KEY!=VALUE, KEY=~PATTERN, KEY!~PATTERN"})
		return term{}, false
	}
	key, op, value := m[1], m[2], m[3]
	schema := runSchema()
	f, r, ok := schema.field(key)
	if !ok {
		faults.add(schema.unknown(commandLine, key, shortText(value)))
		return term{}, false
	}
	t := term{field: f, negated: op[0] == '!'}
	if strings.HasSuffix(op, "~") {
		pattern, err := regexp.Compile(value)
		if err != nil {
			faults.add(Fault{File: commandLine, Key: key, Value: shortText(value), Message: "is not a regular expression: " + err.Error()})
			return term{}, false
		}
		t.pattern = pattern
		return t, true
	}
	a, ok := readOverride(f, r, value, faults)
	for _, v := range a.values {
		t.literals = append(t.literals, literal(v))
	}
	return t, ok
}
