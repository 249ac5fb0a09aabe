package examples

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"headroom/data/parquet"
)

// decoder reads the lines of one file.
type decoder interface {
	// headed reports whether the first line is a header and not a row.
	headed() bool
	// decode reads a line into a row that was reset.
	decode(line []byte, r *row) error
}

// table reads lines of cells: of tab-separated files, and of the lines made from Parquet files.
type table struct {
	names   []string
	targets []target
	kinds   []kind
	head    bool
	packed  bool // cells are escaped
}

func (t *table) headed() bool { return t.head }

func (t *table) decode(line []byte, r *row) error {
	var cells []string
	if t.packed {
		cells = parquet.Split(line)
	} else {
		if !utf8.Valid(line) {
			return errors.New("the line is not UTF-8")
		}
		cells = strings.Split(string(line), "\t")
	}
	if len(cells) != len(t.targets) {
		return fmt.Errorf("%d columns; the others have %d (%s)", len(cells), len(t.targets), strings.Join(t.names, ", "))
	}
	for i, cell := range cells {
		v := value{kind: t.kinds[i], text: cell}
		if v.kind >= kindTexts {
			list, err := parseList(cell)
			if err != nil {
				return fmt.Errorf("column %q: %w", t.names[i], err)
			}
			if v.list = list.list; len(v.list) > 0 {
				v.kind = list.kind
			}
		}
		if err := r.put(t.targets[i], v); err != nil {
			return fmt.Errorf("column %q: %w", t.names[i], err)
		}
	}
	return r.finish()
}

// tsvDecoder makes the decoder of a tab-separated table from its first line: a header, or a row of one of the
// forms that are published without a header.
func tsvDecoder(first []byte) (*table, error) {
	t := &table{}
	cells := strings.Split(string(first), "\t")
	for _, cell := range cells {
		if _, known := targetOf(cell); known {
			t.head = true
		}
	}
	switch {
	case t.head:
		t.names = cells
	case len(cells) == 3 && numeric(cells):
		t.names = []string{"query_id", "positive_id", "negative_id"}
	case len(cells) == 3:
		t.names = []string{"query", "positive", "negative"}
	case len(cells) == 5 && number(cells[0]) && number(cells[1]) && numeric(cells[2:]):
		return &table{
			names: []string{"score of the positive", "score of the negative", "query_id", "positive_id", "negative_id"},
			kinds: make([]kind, 5),
			targets: []target{
				{role: roleScores, number: 1}, {role: roleScores, number: 2},
				{role: roleQuery, id: true}, {role: rolePositive, id: true}, {role: roleNegative, id: true},
			},
		}, nil
	default:
		return nil, fmt.Errorf("%d columns, and the first line is no header; a row without one is query ⇥ positive ⇥ negative, as texts or as numbers, or score ⇥ score ⇥ query ⇥ positive ⇥ negative; in a header %s", len(cells), allowed)
	}
	t.kinds = make([]kind, len(t.names))
	return t, t.aim()
}

// packedDecoder makes the decoder of the lines made from a Parquet file.
func packedDecoder(first []byte) (*table, error) {
	columns, err := parquet.ParseHead(first)
	if err != nil {
		return nil, err
	}
	t := &table{head: true, packed: true}
	for _, c := range columns {
		kinds := map[parquet.Kind]kind{
			parquet.Text: kindText, parquet.Integer: kindInteger, parquet.Number: kindNumber,
			parquet.Texts: kindTexts, parquet.Integers: kindIntegers, parquet.Numbers: kindNumbers,
		}
		t.names, t.kinds = append(t.names, c.Name), append(t.kinds, kinds[c.Kind])
	}
	return t, t.aim()
}

// aim finds the columns' targets.
func (t *table) aim() error {
	for _, name := range t.names {
		target, known := targetOf(name)
		if !known {
			return fmt.Errorf("column %q is not known; %s", name, allowed)
		}
		t.targets = append(t.targets, target)
	}
	return nil
}

// numeric reports whether all cells are numbers of decimal digits, as MS MARCO's ids.
func numeric(cells []string) bool {
	for _, cell := range cells {
		if cell == "" || strings.Trim(cell, "0123456789") != "" {
			return false
		}
	}
	return true
}

func number(cell string) bool {
	_, err := strconv.ParseFloat(cell, 64)
	return err == nil
}

// objects reads JSON lines.
type objects struct{}

func (objects) headed() bool { return false }

func (objects) decode(line []byte, r *row) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(line))
	if k := d.PeekKind(); k != '{' {
		if _, err := d.ReadToken(); err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		return errors.New("want a JSON object; " + allowed)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		name := token.String()
		target, known := targetOf(name)
		if !known {
			return fmt.Errorf("column %q is not known; %s", name, allowed)
		}
		v, err := readValue(d, target.role == roleNeg)
		if err == nil {
			err = r.put(target, v)
		}
		if err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	if rest := bytes.TrimSpace(line[d.InputOffset():]); len(rest) > 0 {
		return fmt.Errorf("not JSON: %.40q after the object", rest)
	}
	return r.finish()
}
