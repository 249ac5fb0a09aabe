package claims

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"headroom/sweeps"
)

// Published holds dot products of one query with some documents, published by a model's authors or in a library's tests.
type Published struct {
	Documents []string // ids, in the order of the figures
	Rows      []PublishedRow
}

// PublishedRow is one model's figures.
type PublishedRow struct {
	Model string // as the hub names it
	Dots  []float64
}

// PublishedFile is the file of the figures in the folder of a claim's "on", with corpus.jsonl and queries.jsonl.
const PublishedFile = "similarities.tsv"

// ReadPublished reads tab-separated figures: a head "model", "architecture" and the documents' ids, then a row per
// model. Messages use name for the file.
func ReadPublished(name string, r io.Reader) (Published, error) {
	var p Published
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		cells := strings.Split(lines.Text(), "\t")
		if n == 1 {
			if len(cells) < 3 || cells[0] != "model" || cells[1] != "architecture" {
				return p, fmt.Errorf("read published figures %s:1: is no head; allowed: model, architecture and ids of documents, with tabs between", name)
			}
			p.Documents = cells[2:]
			continue
		}
		if len(cells) != len(p.Documents)+2 {
			return p, fmt.Errorf("read published figures %s:%d: has %d columns, the head %d", name, n, len(cells), len(p.Documents)+2)
		}
		row := PublishedRow{Model: cells[0]}
		for i, cell := range cells[2:] {
			x, err := strconv.ParseFloat(cell, 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return p, fmt.Errorf("read published figures %s:%d: %s: %q is not a number", name, n, p.Documents[i], cell)
			}
			row.Dots = append(row.Dots, x)
		}
		p.Rows = append(p.Rows, row)
	}
	if err := lines.Err(); err != nil {
		return p, fmt.Errorf("read published figures %s: %w", name, err)
	}
	if len(p.Documents) == 0 {
		return p, fmt.Errorf("read published figures %s: it is empty", name)
	}
	return p, nil
}

// Row is the published row that the claim is about; false if there is none, or more than one.
func (c Claim) Row(p Published) (PublishedRow, bool) {
	var found []PublishedRow
	for _, row := range p.Rows {
		if c.Points.Match(sweeps.RunConfig{Model: sweeps.ModelConfig{Backbone: row.Model}}) {
			found = append(found, row)
		}
	}
	if len(found) != 1 {
		return PublishedRow{}, false
	}
	return found[0], true
}

// JudgeVectors compares a model's dot products, in the order of the published ones, with a row.
func JudgeVectors(c Claim, row PublishedRow, dots []float64) Judgement {
	if len(dots) != len(row.Dots) {
		return c.Judgement(Unknown, "%d dot products were computed, %d are published", len(dots), len(row.Dots))
	}
	greatest := 0.0
	for i, x := range dots {
		greatest = max(greatest, math.Abs(x-row.Dots[i])) // NaN stays NaN
	}
	verdict := Fail
	if greatest <= c.Tolerance {
		verdict = OK
	}
	j := c.Judgement(verdict, "dot products %s, published %s: they differ by at most %.2g (allowed: %g)", list(dots), list(row.Dots), greatest, c.Tolerance)
	j.Observed = dots
	return j
}

func list(values []float64) string {
	texts := make([]string, len(values))
	for i, x := range values {
		texts[i] = strconv.FormatFloat(x, 'f', 5, 64)
	}
	return strings.Join(texts, " ")
}
