package parquet

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

var errMissing = errors.New("no value (null)")

// format appends the values of a column in one row.
func (c column) format(cell []byte, values []parquet.Value) ([]byte, error) {
	if !c.Kind.list() {
		if len(values) != 1 || values[0].IsNull() {
			return nil, errMissing
		}
		return c.Kind.appendValue(cell, values[0])
	}
	cell = append(cell, '[')
	for i, v := range values {
		if v.DefinitionLevel() < c.full {
			if len(values) == 1 && v.DefinitionLevel() < c.element {
				break // an empty list
			}
			return nil, errMissing
		}
		if i > 0 {
			cell = append(cell, ',')
		}
		var err error
		if c.Kind == Texts {
			cell, err = jsontext.AppendQuote(cell, v.ByteArray())
		} else {
			cell, err = (c.Kind[:len(c.Kind)-1]).appendValue(cell, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(cell, ']'), nil
}

func (k Kind) list() bool { return strings.HasSuffix(string(k), "s") }

func (k Kind) appendValue(cell []byte, v parquet.Value) ([]byte, error) {
	switch v.Kind() {
	case parquet.ByteArray:
		text := v.ByteArray()
		if !utf8.Valid(text) {
			return nil, fmt.Errorf("%.60q is not UTF-8", text)
		}
		return append(cell, text...), nil
	case parquet.Int32:
		return strconv.AppendInt(cell, int64(v.Int32()), 10), nil
	case parquet.Int64:
		return strconv.AppendInt(cell, v.Int64(), 10), nil
	case parquet.Float:
		return appendNumber(cell, float64(v.Float()), 32)
	case parquet.Double:
		return appendNumber(cell, v.Double(), 64)
	}
	return nil, fmt.Errorf("a value of kind %s", v.Kind())
}

func appendNumber(cell []byte, x float64, bits int) ([]byte, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, fmt.Errorf("%v is not a finite number", x)
	}
	return strconv.AppendFloat(cell, x, 'g', -1, bits), nil
}

// escape appends a cell in a form that has no tab and no line end.
func escape(out, cell []byte) []byte {
	for _, b := range cell {
		switch b {
		case '\\':
			out = append(out, `\\`...)
		case '\t':
			out = append(out, `\t`...)
		case '\n':
			out = append(out, `\n`...)
		case '\r':
			out = append(out, `\r`...)
		default:
			out = append(out, b)
		}
	}
	return out
}

// ParseHead reads the first line that Lines writes.
func ParseHead(line []byte) ([]Column, error) {
	var columns []Column
	for _, cell := range Split(line) {
		at := strings.LastIndexByte(cell, ':')
		if at < 0 {
			return nil, fmt.Errorf("read columns: %q has no kind", cell)
		}
		columns = append(columns, Column{cell[:at], Kind(cell[at+1:])})
	}
	return columns, nil
}

// Split returns the cells of a line that Lines writes.
func Split(line []byte) []string {
	parts := bytes.Split(line, []byte("\t"))
	cells := make([]string, len(parts))
	for i, part := range parts {
		cells[i] = unescape(part)
	}
	return cells
}

func unescape(part []byte) string {
	at := bytes.IndexByte(part, '\\')
	if at < 0 {
		return string(part)
	}
	out := append(make([]byte, 0, len(part)), part[:at]...)
	for ; at < len(part); at++ {
		b := part[at]
		if b == '\\' && at+1 < len(part) {
			at++
			switch b = part[at]; b {
			case 't':
				b = '\t'
			case 'n':
				b = '\n'
			case 'r':
				b = '\r'
			}
		}
		out = append(out, b)
	}
	return string(out)
}
