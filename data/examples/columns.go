package examples

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// role is the meaning of a column.
type role int

const (
	roleQuery role = iota
	rolePositive
	roleNegative  // one of several in columns
	roleNegatives // all in a list
	roleScores
	rolePos // lists of ids, as the MS MARCO hard negatives have them
	roleNeg
)

// target is the part of a row that a column holds.
type target struct {
	role role
	// number is the number in the name of a column for one negative or one score; 0 if the name has none.
	number int
	// id is true if all values are ids; otherwise texts are texts and integers are ids.
	id bool
}

// allowed lists the columns for messages.
const allowed = "allowed are query (or anchor) or query_id (or qid), positive or positive_id, negative or negative_1, negative_2 … or negative_id or negative_id_1 …, negatives or negative_ids (lists), score, scores, label or labels, and qid with pos and neg (lists)"

// targetOf finds the meaning of a column's name.
func targetOf(name string) (target, bool) {
	switch name {
	case "query", "anchor":
		return target{role: roleQuery}, true
	case "query_id", "qid":
		return target{role: roleQuery, id: true}, true
	case "positive":
		return target{role: rolePositive}, true
	case "positive_id":
		return target{role: rolePositive, id: true}, true
	case "negatives":
		return target{role: roleNegatives}, true
	case "negative_ids":
		return target{role: roleNegatives, id: true}, true
	case "score", "scores", "label", "labels":
		return target{role: roleScores}, true
	case "pos":
		return target{role: rolePos, id: true}, true
	case "neg":
		return target{role: roleNeg, id: true}, true
	}
	rest, ok := strings.CutPrefix(name, "negative")
	if !ok {
		return target{}, false
	}
	t := target{role: roleNegative}
	rest, t.id = strings.CutPrefix(rest, "_id")
	if rest == "" {
		return t, true
	}
	number, err := strconv.Atoi(strings.TrimPrefix(rest, "_"))
	t.number = number
	return t, err == nil && number > 0 && rest == "_"+strconv.Itoa(number)
}

// kind is the type of a value.
type kind int

const (
	kindCell kind = iota // untyped, as a table of tabs has them
	kindText
	kindInteger
	kindNumber
	kindTexts
	kindIntegers
	kindNumbers
)

func (k kind) String() string {
	return [...]string{"a cell", "a text", "an integer", "a number", "a list of texts", "a list of integers", "a list of numbers"}[k]
}

// value is what a column has in one row: text for a single one, list for a list.
type value struct {
	kind kind
	text string
	list []string
}

// by says whether a part of a row is given by its text or by its id.
type by int

const (
	none by = iota
	byText
	byID
)

// layout holds the properties that all rows of a set share.
type layout struct {
	query, positive, negative by
	lists                     bool // pos and neg
	scores                    bool
	margins                   bool // a score is the positive's score minus the negative's
}

// String names the columns.
func (l layout) String() string {
	if l.lists {
		return "qid, pos, neg"
	}
	name := func(of string, by by) string {
		return of + [...]string{"", "", "_id"}[by]
	}
	text := name("query", l.query) + ", " + name("positive", l.positive)
	if l.negative != none {
		text += ", " + name("negative", l.negative)
	}
	switch {
	case l.margins:
		text += ", score (margins)"
	case l.scores:
		text += ", score"
	}
	return text
}

// row is one line of a file of examples, as written.
type row struct {
	layout
	query     string
	positives []string // one, or those of pos
	negatives []string // in the order of columns; those of neg in file order
	scores    []float64

	numbers []int // of the negatives in columns, while the row is read
}

func (r *row) reset() {
	*r = row{positives: r.positives[:0], negatives: r.negatives[:0], scores: r.scores[:0], numbers: r.numbers[:0]}
}

var errTwice = errors.New("there is another such column in the row; one of them is allowed")

// put stores a column's value.
func (r *row) put(t target, v value) error {
	if t.role == roleScores {
		return r.putScores(t, v)
	}
	many := t.role == roleNegatives || t.role == rolePos || t.role == roleNeg
	if many && v.kind == kindCell {
		list, err := parseList(v.text)
		if err != nil {
			return err
		}
		v = list
	}
	how, err := t.meaningOf(v.kind, many)
	if err != nil {
		return err
	}
	switch t.role {
	case roleQuery:
		if r.layout.query != none {
			return errTwice
		}
		r.layout.query, r.query = how, v.text
	case rolePositive, rolePos:
		if r.layout.positive != none {
			return errTwice
		}
		r.layout.positive = how
		r.positives = append(r.positives, v.list...)
		if !many {
			r.positives = append(r.positives, v.text)
		}
	default:
		if r.layout.negative != none && (many || len(r.numbers) == 0 || r.layout.negative != how) {
			return errTwice
		}
		r.layout.negative = how
		r.negatives = append(r.negatives, v.list...)
		if !many {
			r.negatives, r.numbers = append(r.negatives, v.text), append(r.numbers, t.number)
		}
	}
	r.lists = r.lists || t.role == rolePos || t.role == roleNeg
	return nil
}

// meaningOf reports whether values of a kind are texts or ids.
func (t target) meaningOf(k kind, many bool) (by, error) {
	switch k {
	case kindCell, kindText, kindTexts:
		if many == (k == kindTexts) {
			if t.id {
				return byID, nil
			}
			return byText, nil
		}
	case kindInteger, kindIntegers:
		if many == (k == kindIntegers) {
			return byID, nil
		}
	}
	if many {
		return none, fmt.Errorf("%s; a list of texts or of integers is allowed", k)
	}
	return none, fmt.Errorf("%s; a text or an integer is allowed", k)
}

func (r *row) putScores(t target, v value) error {
	if r.layout.scores && t.number != len(r.scores)+1 {
		return errTwice
	}
	if v.kind == kindCell {
		v.kind = kindNumber
		if strings.HasPrefix(v.text, "[") {
			list, err := parseList(v.text)
			if err != nil {
				return err
			}
			v = list
		}
	}
	switch {
	case v.kind == kindInteger || v.kind == kindNumber:
		v.list = []string{v.text}
	case v.kind == kindIntegers || v.kind == kindNumbers:
	default:
		return fmt.Errorf("%s; a number or a list of numbers is allowed", v.kind)
	}
	for _, text := range v.list {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%.40q: a finite number is allowed", text)
		}
		r.scores = append(r.scores, x)
	}
	r.layout.scores = true
	return nil
}
