package claims

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"headroom/metrics/measure"
	"headroom/sweeps"
)

// written is a [[claim]] as written in a file; nil if a key is missing.
type written struct {
	ID        *string            `toml:"id"`
	Text      *string            `toml:"text"`
	Source    *string            `toml:"source"`
	Kind      *string            `toml:"kind"`
	Points    *string            `toml:"points"`
	Against   *string            `toml:"against"`
	On        *string            `toml:"on"`
	Measure   *string            `toml:"measure"`
	At        map[string]float64 `toml:"at"`
	Tolerance *float64           `toml:"tolerance"`
	Share     *float64           `toml:"share"`
	Value     *float64           `toml:"value"`
	Predicted *string            `toml:"predicted"`
}

// rule lists the keys that a kind needs or may have, besides id, text, source, kind and predicted.
type rule struct{ needs, may []string }

func rules() map[Kind]rule {
	return map[Kind]rule{
		Better:    {needs: []string{"points", "against", "on", "measure"}, may: []string{"at"}},
		Equal:     {needs: []string{"points", "against", "on", "measure", "tolerance"}, may: []string{"at"}},
		Collapses: {needs: []string{"points", "share"}},
		Value:     {needs: []string{"points", "on", "measure", "tolerance"}, may: []string{"value", "at"}},
		Vectors:   {needs: []string{"points", "on", "tolerance"}},
	}
}

// Parse reads a file of claims; messages use name. The error lists every fault.
func Parse(name string, data []byte) ([]Claim, error) {
	var file struct {
		Claim []written `toml:"claim"`
	}
	var plain map[string]any
	md, err := toml.Decode(string(data), &plain)
	if err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("read claims %s:%d: %s", name, syntax.Position.Line, syntax.Message)
		}
		return nil, fmt.Errorf("read claims %s: %s", name, strings.TrimPrefix(err.Error(), "toml: "))
	}
	p := &parser{name: name}
	p.checkTypes(plain)
	if err := errors.Join(p.faults...); err != nil {
		return nil, err
	}
	if _, err := toml.Decode(string(data), &file); err != nil {
		return nil, fmt.Errorf("read claims %s: %s", name, strings.TrimPrefix(err.Error(), "toml: "))
	}
	known := strings.Split("id text source kind points against on measure at tolerance share value predicted", " ")
	for _, key := range md.Keys() {
		switch {
		case len(key) == 1 && key[0] == "claim":
		case len(key) == 3 && key[0] == "claim" && key[1] == "at": // judged with its claim
		case len(key) == 2 && key[0] == "claim" && slices.Contains(known, key[1]):
		case key[0] == "claim":
			p.fault(strings.Join(key, "."), "unknown key", strings.Join(known, ", "))
		default:
			p.fault(strings.Join(key, "."), "unknown key", "[[claim]]")
		}
	}
	if len(file.Claim) == 0 {
		p.fault("claim", "there is none", "one [[claim]] or more")
	}
	seen := map[string]bool{}
	var list []Claim
	for i, w := range file.Claim {
		p.at = fmt.Sprintf("claim %d", i+1)
		if w.ID != nil && *w.ID != "" {
			p.at = fmt.Sprintf("claim %q", *w.ID)
			if seen[*w.ID] {
				p.fault("id", "is there twice", "each id once")
			}
			seen[*w.ID] = true
		}
		list = append(list, p.claim(w))
	}
	if err := errors.Join(p.faults...); err != nil {
		return nil, err
	}
	return list, nil
}

// parser gathers faults.
type parser struct {
	name, at string
	faults   []error
}

func (p *parser) fault(key, problem, allowed string) {
	at := p.at
	if at != "" {
		at += ": "
	}
	p.faults = append(p.faults, fmt.Errorf("read claims %s: %s%s: %s; allowed: %s", p.name, at, key, problem, allowed))
}

// checkTypes finds values of another type than their key takes. The decoder names neither the claim nor
// what is allowed, and passes over a number in the place of a table.
func (p *parser) checkTypes(file map[string]any) {
	value, there := file["claim"]
	list, ok := value.([]map[string]any)
	if there && !ok {
		p.fault("claim", "is not an array of tables", "[[claim]] with lines below it")
	}
	for i, claim := range list {
		p.at = fmt.Sprintf("claim %d", i+1)
		if id, _ := claim["id"].(string); id != "" {
			p.at = fmt.Sprintf("claim %q", id)
		}
		for _, key := range slices.Sorted(maps.Keys(claim)) {
			switch key {
			case "tolerance", "share", "value":
				if !isNumber(claim[key]) {
					p.fault(key, fmt.Sprintf("%v is no number", claim[key]), "a number")
				}
			case "at":
				at, ok := claim[key].(map[string]any)
				if !ok {
					p.fault(key, fmt.Sprintf("%v is no table", claim[key]), costForm)
				}
				for _, name := range slices.Sorted(maps.Keys(at)) {
					if !isNumber(at[name]) {
						p.fault(key, fmt.Sprintf("%s = %v is no number", name, at[name]), costForm)
					}
				}
			case "id", "text", "source", "kind", "points", "against", "on", "measure", "predicted":
				if _, ok := claim[key].(string); !ok {
					p.fault(key, fmt.Sprintf("%v is no text", claim[key]), "a text in quotes")
				}
			}
		}
	}
	p.at = ""
}

func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64:
		return true
	}
	return false
}

func (p *parser) claim(w written) Claim {
	c := Claim{ID: p.text("id", w.ID), Text: p.text("text", w.Text), Source: p.text("source", w.Source), Kind: Kind(p.text("kind", w.Kind))}
	kinds := rules()
	rule, ok := kinds[c.Kind]
	if !ok {
		if c.Kind != "" {
			p.fault("kind", strconv.Quote(string(c.Kind))+" is unknown", `"better", "equal", "collapses", "value", "vectors"`)
		}
		return c
	}
	p.checkKeys(w, c.Kind, rule)
	sound := len(p.faults)
	c.Points, c.Against = p.points("points", w.Points), p.points("against", w.Against)
	if w.Points != nil && w.Against != nil && len(p.faults) == sound && len(c.Points.DifferingKeys(c.Against.Filter)) == 0 {
		p.fault("against", strconv.Quote(*w.Against)+" chooses the same runs as points", "other runs")
	}
	if w.On != nil {
		c.On = p.text("on", w.On)
	}
	if w.Measure != nil {
		c.Measure = *w.Measure
		if m, err := measure.Parse(c.Measure); err != nil {
			p.fault("measure", err.Error(), "a measure such as nDCG@10")
		} else {
			c.Measure = m.String()
		}
	}
	c.At = p.cost(w.At)
	c.Tolerance = p.number("tolerance", w.Tolerance, func(x float64) bool { return x >= 0 }, "a number ≥ 0")
	c.Share = p.number("share", w.Share, func(x float64) bool { return x > 0 && x <= 1 }, "a number, 0 < x ≤ 1")
	if w.Value != nil {
		value := p.number("value", w.Value, func(float64) bool { return true }, "a finite number")
		c.Value = &value
	}
	if w.Predicted != nil {
		c.Predicted = Verdict(*w.Predicted)
		if !slices.Contains([]Verdict{OK, OKish, Fail}, c.Predicted) {
			p.fault("predicted", strconv.Quote(*w.Predicted)+" is no verdict", `"OK", "OKish", "FAIL"`)
		}
	}
	return c
}

// checkKeys compares the keys of a claim with those of its kind.
func (p *parser) checkKeys(w written, kind Kind, r rule) {
	there := map[string]bool{
		"points": w.Points != nil, "against": w.Against != nil, "on": w.On != nil, "measure": w.Measure != nil, "at": w.At != nil,
		"tolerance": w.Tolerance != nil, "share": w.Share != nil, "value": w.Value != nil,
	}
	all := slices.Concat(r.needs, r.may)
	for _, key := range []string{"points", "against", "on", "measure", "at", "tolerance", "share", "value"} {
		switch {
		case there[key] && !slices.Contains(all, key):
			p.fault(key, fmt.Sprintf("does not belong to kind %q", kind), strings.Join(all, ", "))
		case !there[key] && slices.Contains(r.needs, key):
			p.fault(key, fmt.Sprintf("is missing: kind %q needs it", kind), strings.Join(r.needs, ", "))
		}
	}
}

func (p *parser) text(key string, value *string) string {
	if value == nil {
		p.fault(key, "is missing", "a text")
		return ""
	}
	if strings.TrimSpace(*value) == "" {
		p.fault(key, "is empty", "a text")
	}
	return *value
}

func (p *parser) points(key string, expression *string) Points {
	if expression == nil {
		return Points{}
	}
	filter, err := sweeps.ParseOnly(*expression)
	if err != nil {
		var faults sweeps.Faults
		if !errors.As(err, &faults) {
			p.fault(key, err.Error(), "an expression as --only takes it")
		}
		for _, f := range faults {
			problem := f.Message
			if f.Key != "" && f.Key != "--only" {
				problem = f.Key + ": " + problem
			}
			allowed := f.Allowed
			allowed = cmp.Or(allowed, "an expression as --only takes it")
			if f.Near != "" {
				allowed += fmt.Sprintf("; did you mean %q?", f.Near)
			}
			p.fault(key, strconv.Quote(*expression)+": "+problem, allowed)
		}
	}
	return Points{Expression: *expression, Filter: filter}
}

// costForm says how the cost of a claim is written.
const costForm = "{ flops = X } or { active_document = X }, X > 0"

func (p *parser) cost(at map[string]float64) *Cost {
	if at == nil {
		return nil
	}
	if len(at) != 1 {
		p.fault("at", fmt.Sprintf("has %d figures", len(at)), costForm)
		return nil
	}
	for name, value := range at {
		if name != "flops" && name != "active_document" || !(value > 0) || math.IsInf(value, 0) {
			p.fault("at", fmt.Sprintf("%s = %v", name, value), costForm)
		}
		return &Cost{Name: name, Value: value}
	}
	return nil
}

func (p *parser) number(key string, value *float64, fits func(float64) bool, allowed string) float64 {
	if value == nil {
		return 0
	}
	if math.IsNaN(*value) || math.IsInf(*value, 0) || !fits(*value) {
		p.fault(key, fmt.Sprintf("%v is out of range", *value), allowed)
	}
	return *value
}
