package measure

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/near"
)

// maxCutoff refuses a typing error that would ask for an endless ranking.
const maxCutoff = 1_000_000_000

// Parse reads a measure; it reads what String writes as the same measure. The error for an unknown name
// suggests a similar one.
func Parse(text string) (Measure, error) { return parse(text, 0) }

// parse is Parse with a relevance level for measures that name none; 0 leaves each kind its
// default.
func parse(text string, level int) (Measure, error) {
	m, err := read(strings.TrimSpace(text), level)
	if err != nil {
		return Measure{}, fmt.Errorf("measure %q: %w", text, err)
	}
	return m, nil
}

// ParseAll reads several measures and refuses one that is named twice, in whatever spelling.
func ParseAll(texts []string) ([]Measure, error) { return ParseAllAt(0, texts) }

// ParseAllAt is ParseAll with a relevance level for every measure that has one and names none; 0 leaves each
// its default.
func ParseAllAt(level int, texts []string) ([]Measure, error) {
	measures := make([]Measure, 0, len(texts))
	seen := map[Measure]string{}
	for _, text := range texts {
		m, err := parse(text, level)
		if err != nil {
			return nil, err
		}
		if before, twice := seen[m]; twice {
			return nil, fmt.Errorf("measure %q: the same as %q", text, before)
		}
		seen[m] = text
		measures = append(measures, m)
	}
	return measures, nil
}

// Canonical is the canonical name of a measure, or the text itself if it is none.
func Canonical(text string) string {
	m, err := Parse(text)
	if err != nil {
		return text
	}
	return m.String()
}

// pieces are the parts of a measure as it is written.
type pieces struct {
	name       string
	parameters string
	at         string
	hasAt      bool
}

// trecCut is trec_eval's way to write a cut-off: ndcg_cut_10, P.5, iprec_at_recall_0.10.
var trecCut = regexp.MustCompile(`^(.*?[^0-9_.])[_.]([0-9]+(?:\.[0-9]+)?)$`)

func split(text string) (pieces, error) {
	p := pieces{name: text}
	if open := strings.IndexByte(text, '('); open >= 0 {
		end := strings.LastIndexByte(text, ')')
		if end < open {
			return p, errors.New("a bracket is not closed")
		}
		p.name, p.parameters = text[:open], text[open+1:end]
		if name, at, early := strings.Cut(p.name, "@"); early {
			return p, fmt.Errorf("the bracket stands before @: %s(%s)@%s", strings.TrimSpace(name), p.parameters, strings.TrimSpace(at))
		}
		rest := strings.TrimSpace(text[end+1:])
		if rest != "" {
			p.at, p.hasAt = strings.CutPrefix(rest, "@")
			if !p.hasAt {
				return p, fmt.Errorf("%q after the bracket: @ and a cut-off may stand there", rest)
			}
		}
	} else if p.name, p.at, p.hasAt = strings.Cut(text, "@"); !p.hasAt {
		if found := trecCut.FindStringSubmatch(text); found != nil {
			p.name, p.at, p.hasAt = found[1], found[2], true
		}
	}
	p.name, p.at = strings.TrimSpace(p.name), strings.TrimSpace(p.at)
	return p, nil
}

// plainName returns a name in the form in which names are compared: lower case, without
// separators.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -_", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

func read(text string, level int) (Measure, error) {
	p, err := split(text)
	if err != nil {
		return Measure{}, err
	}
	name := plainName(p.name)
	relevant := name == "numrelret" // NumRet at a relevance level
	if relevant {
		name = "numret"
	}
	shape, needsCut, known := find(name)
	if !known {
		return Measure{}, unknown(p)
	}
	m := Measure{Kind: shape.kind, Rel: shape.rel}
	switch shape.kind {
	case RBP:
		m.Persistence = defaultPersistence
	case SetF:
		m.Beta = defaultBeta
	}
	if relevant {
		m.Rel = 1
	}
	if level > 0 && m.Rel > 0 {
		m.Rel = level
	}
	if err := m.setParameters(shape, p.parameters); err != nil {
		return m, err
	}
	return m, m.setAt(shape, p, needsCut)
}

func find(name string) (shape form, needsCut, known bool) {
	for _, shape := range forms() {
		if name == plainName(shape.name) || slices.Contains(shape.aliases, name) {
			return shape, strings.HasSuffix(name, "cut"), true
		}
	}
	return form{}, false, false
}

// unknown returns the error for an unknown name, with the most similar known one.
func unknown(p pieces) error {
	spelling := map[string]string{} // plain → as it is shown
	var names []string
	for _, shape := range forms() {
		for _, name := range append([]string{plainName(shape.name)}, shape.aliases...) {
			names, spelling[name] = append(names, name), shape.name
		}
	}
	names, spelling["numrelret"] = append(names, "numrelret"), "NumRelRet"
	typed := plainName(p.name)
	var meant string
	digits := strings.TrimLeft(typed, "abcdefghijklmnopqrstuvwxyz")
	if shape, _, known := find(strings.TrimSuffix(typed, digits)); known && digits != "" && !p.hasAt {
		meant, p.at, p.hasAt = shape.name, digits, true // "mrr10" only lacks the sign
	} else {
		meant = spelling[near.Word(typed, names)]
	}
	if meant == "" {
		return fmt.Errorf("unknown name %q: %s", p.name, Allowed())
	}
	if p.hasAt && p.at != "" {
		meant += "@" + p.at
	}
	return fmt.Errorf("unknown name %q; did you mean %q? %s", p.name, meant, Allowed())
}

// setAt reads the text after @.
func (m *Measure) setAt(shape form, p pieces, needsCut bool) error {
	switch {
	case shape.kind == SetF && p.hasAt:
		return m.setBeta(p.at) // trec_eval's set_F_0.5
	case shape.at == recall && !p.hasAt:
		return errors.New("IPrec needs a recall: IPrec@0.1")
	case shape.at == recall:
		x, err := strconv.ParseFloat(p.at, 64)
		if err != nil || !(x >= 0 && x <= 1) {
			return fmt.Errorf("recall %q: a number from 0 to 1 is allowed", p.at)
		}
		// trec_eval's name has two decimals.
		if m.Level = math.Round(x*100) / 100; m.Level != x {
			return fmt.Errorf("recall %q: two decimals are allowed", p.at)
		}
		return nil
	case shape.at == nothing && p.hasAt:
		return fmt.Errorf("%s takes no cut-off", shape.name)
	case !p.hasAt && (shape.at == mustCut || needsCut):
		return fmt.Errorf("%s needs a cut-off: %s@10", shape.name, shape.name)
	case !p.hasAt:
		return nil
	}
	k, err := strconv.Atoi(p.at)
	if err != nil || k < 1 || k > maxCutoff {
		return fmt.Errorf("cut-off %q: an integer from 1 to %d is allowed", p.at, maxCutoff)
	}
	m.Cutoff = k
	return nil
}
