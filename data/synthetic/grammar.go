package synthetic

import "strings"

// Templates are words and slots. In documents {N} is the name, {T} the type, {P} the place, {A} the next attribute,
// {F} a noun that this attribute attracts, {f} a noun that the attribute before attracts, {G} a noun that the type or
// the place attracts, and {T=}, {P=}, {A=} another synonym of the type, place or attribute named before. In queries
// {T}, {P} and {A} are the concepts asked for. "a" becomes "an" if necessary.
const (
	openerText = `
{N} is a {A} {T} near the {P}
{N} is a {A} and {A} {T} by the {P}
the {A} {T} {N} stands at the {P}`

	tellingText = `
its {F} is {A}
it has a {A} {f} and a {f}
{N} is {A} because of the {f}`

	secondAttributeText = `it is also {A=}`
	secondTypeText      = `this {T=} has a {G} and a {G}`
	secondPlaceText     = `the {P=} has a {G}`

	fillingText = `
it has a {G} and a {G}
there is a {G} by the {G}`
)

// Queries by what they ask for.
const (
	askAT  = "{A} {T}\na {A} {T}"
	askAA  = "it is {A} and {A}\n{A} and {A}"
	askAP  = "{A} by the {P}\nit is {A} near the {P}"
	askATP = "{A} {T} near the {P}\na {A} {T} by the {P}\n{A} {T} {P}"
	askAAT = "{A} {A} {T}\na {A} and {A} {T}\n{A} and {A} {T}"
	askAAP = "{A} and {A} near the {P}\n{A} and {A} by the {P}\n{A} {A} {P}"
)

// template is a sentence's fields: words, and slots in braces.
type template []string

type grammar struct {
	openers, tellings, fillings              []template
	secondAttribute, secondType, secondPlace []template
	asking                                   []asking
	// frame has every word of the templates. None of them distinguishes documents.
	frame map[string]bool
}

// asking are the templates of queries about certain concepts.
type asking struct {
	attributes int
	typ, place bool
	weight     int // relative frequency among the kinds
	templates  []template
}

func newGrammar() *grammar {
	g := &grammar{frame: map[string]bool{"an": true}}
	g.openers = g.parse(openerText)
	g.tellings = g.parse(tellingText)
	g.fillings = g.parse(fillingText)
	g.secondAttribute = g.parse(secondAttributeText)
	g.secondType = g.parse(secondTypeText)
	g.secondPlace = g.parse(secondPlaceText)
	g.asking = []asking{
		{attributes: 1, typ: true, weight: 2, templates: g.parse(askAT)},
		{attributes: 2, weight: 2, templates: g.parse(askAA)},
		{attributes: 1, place: true, weight: 2, templates: g.parse(askAP)},
		{attributes: 1, typ: true, place: true, weight: 14, templates: g.parse(askATP)},
		{attributes: 2, typ: true, weight: 14, templates: g.parse(askAAT)},
		{attributes: 2, place: true, weight: 8, templates: g.parse(askAAP)},
	}
	return g
}

func (g *grammar) parse(text string) []template {
	var list []template
	for line := range strings.Lines(strings.TrimSpace(text)) {
		fields := strings.Fields(line)
		for _, field := range fields {
			if field[0] != '{' {
				g.frame[field] = true
			}
		}
		list = append(list, fields)
	}
	return list
}
