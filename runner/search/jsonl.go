package search

import (
	"bufio"
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"headroom/internal/gunzip"
)

// maxRow bounds a line of a vector file: a vector with every term of the largest vocabularies takes a tenth of it.
const maxRow = 64 << 20

const rowForm = `a row is {"id":"…","vector":{"<term>":weight,…}}`

// rowReader walks a file of vectors, plain or gzipped, with one JSON object per line. It skips blank lines, and
// ignores members other than id and vector.
type rowReader struct {
	name    string
	scanner *bufio.Scanner
	decoder *jsontext.Decoder
	source  *bytes.Reader
	line    int
}

func newRowReader(r io.Reader, name string) (*rowReader, error) {
	text, err := gunzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	scanner := bufio.NewScanner(text)
	scanner.Buffer(make([]byte, 0, 1<<16), maxRow)
	source := bytes.NewReader(nil)
	return &rowReader{name: name, scanner: scanner, source: source, decoder: jsontext.NewDecoder(source)}, nil
}

func (r *rowReader) fault(format string, args ...any) error {
	return fmt.Errorf("read %s:%d: %w", r.name, r.line, fmt.Errorf(format, args...))
}

// next reads the next row. It calls term for each term with a weight above 0, in the file's order; zero
// weights are dropped. At the end the error is io.EOF.
func (r *rowReader) next(term func(term []byte, weight float32) error) (id string, err error) {
	for r.scanner.Scan() {
		r.line++
		line := r.scanner.Bytes()
		if r.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		r.source.Reset(line)
		r.decoder.Reset(r.source)
		if id, err = r.row(term); err != nil {
			return "", r.fault("%w", err)
		}
		return id, nil
	}
	if err := r.scanner.Err(); err != nil {
		r.line++
		if errors.Is(err, bufio.ErrTooLong) {
			return "", r.fault("the line is longer than %d bytes: %s", maxRow, rowForm)
		}
		return "", r.fault("%w", err)
	}
	return "", io.EOF
}

func (r *rowReader) row(term func([]byte, float32) error) (id string, err error) {
	opening, err := r.decoder.ReadToken()
	if err != nil {
		return "", syntaxError(err)
	}
	if opening.Kind() != '{' {
		return "", fmt.Errorf("not a JSON object: %s", rowForm)
	}
	var hasID, hasVector bool
	for r.decoder.PeekKind() != '}' {
		member, err := r.decoder.ReadToken()
		if err != nil {
			return "", syntaxError(err)
		}
		switch member.String() {
		case "id":
			if id, err = r.id(); err != nil {
				return "", err
			}
			hasID = true
		case "vector":
			if err := r.vector(term); err != nil {
				return "", err
			}
			hasVector = true
		default:
			if err := r.decoder.SkipValue(); err != nil {
				return "", syntaxError(err)
			}
		}
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return "", syntaxError(err)
	}
	if _, err := r.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return "", errors.New("more follows the object: one object a line is allowed")
	}
	if !hasID || !hasVector {
		return "", fmt.Errorf("id or vector is missing: %s", rowForm)
	}
	return id, checkID(id)
}

// id reads a string, or an integer, which some tools write.
func (r *rowReader) id() (string, error) {
	token, err := r.decoder.ReadToken()
	if err != nil {
		return "", syntaxError(err)
	}
	text := token.String()
	switch token.Kind() {
	case '"':
		return text, nil
	case '0':
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return text, nil
		}
	}
	return "", fmt.Errorf("id %s: a string or an integer is allowed", text)
}

// checkID refuses ids that a run file cannot have.
func checkID(id string) error {
	for i := range len(id) {
		if id[i] <= ' ' {
			return fmt.Errorf("id %q: a word without white space is allowed", id)
		}
	}
	if id == "" {
		return errors.New(`id "": a word without white space is allowed`)
	}
	return nil
}

func (r *rowReader) vector(term func([]byte, float32) error) error {
	opening, err := r.decoder.ReadToken()
	if err != nil {
		return syntaxError(err)
	}
	if opening.Kind() != '{' {
		return fmt.Errorf("vector is not an object: %s", rowForm)
	}
	var key []byte
	for r.decoder.PeekKind() != '}' {
		name, err := r.decoder.ReadValue()
		if err != nil {
			return syntaxError(err)
		}
		if key, err = jsontext.AppendUnquote(key[:0], name); err != nil {
			return syntaxError(err)
		}
		value, err := r.decoder.ReadValue()
		if err != nil {
			return syntaxError(err)
		}
		weight, err := strconv.ParseFloat(string(value), 32)
		if value.Kind() != '0' || err != nil || weight < 0 || math.IsInf(weight, 0) {
			return fmt.Errorf("term %q has weight %s: a float32 number from 0 is allowed", key, shorten(value))
		}
		if weight == 0 {
			continue
		}
		if err := term(key, float32(weight)); err != nil {
			return err
		}
	}
	_, err = r.decoder.ReadToken()
	return syntaxError(err)
}

func shorten(value []byte) []byte {
	if len(value) > 40 {
		return append(bytes.Clone(value[:37]), "..."...)
	}
	return value
}

// syntaxError returns the error for a row that is not JSON or has a name twice. A row that ends early is such a row, and
// not the end of the file.
func syntaxError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %s", err, rowForm)
}

// VectorWriter writes rows for VectorReader: terms ascending, weights in the fewest digits that read back as the
// same float32.
type VectorWriter struct {
	out  *bufio.Writer
	line []byte
}

// NewVectorWriter starts writing; call Flush at the end.
func NewVectorWriter(w io.Writer) *VectorWriter {
	return &VectorWriter{out: bufio.NewWriterSize(w, 1<<16)}
}

// Write writes one row.
func (w *VectorWriter) Write(id string, v Vector) error {
	if err := v.check(0); err != nil {
		return fmt.Errorf("write vector %q: %w", id, err)
	}
	line := append(w.line[:0], `{"id":`...)
	line, err := jsontext.AppendQuote(line, id)
	if err != nil {
		return fmt.Errorf("write vector %q: %w", id, err)
	}
	line = append(line, `,"vector":{`...)
	for i, term := range v.Terms {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, '"')
		line = strconv.AppendUint(line, uint64(term), 10)
		line = append(line, '"', ':')
		line = strconv.AppendFloat(line, float64(v.Weights[i]), 'g', -1, 32)
	}
	line = append(line, '}', '}', '\n')
	w.line = line
	if _, err := w.out.Write(line); err != nil {
		return fmt.Errorf("write vector %q: %w", id, err)
	}
	return nil
}

// Flush writes the buffered rows.
func (w *VectorWriter) Flush() error {
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("write vectors: %w", err)
	}
	return nil
}
