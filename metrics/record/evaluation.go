// Package record has the types of the files that one part of the program writes and several
// others read: evaluations, manifests of sweeps, what a run depends on. Each type is
// declared only here.
package record

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"headroom/internal/seal"
	"headroom/sweeps"
)

// The files of an evaluation's folder.
const (
	RunFile      = "run.trec.gz"
	PerQueryFile = "per_query.tsv"
	CurveFile    = "curve.tsv.gz"
	VectorsFile  = "vectors.json" // which blocks hold the documents' vectors, if they are kept
	SummaryFile  = "summary.json"
)

// Evaluation is one evaluation's result: summary.json. Its id is made of the four values
// that say what was evaluated: Encoder, Collection, Split, MeasuresVersion.
type Evaluation struct {
	Schema int    `json:"schema"`
	ID     string `json:"id,omitempty"`
	// Encoder identifies what made the vectors, in its form (sweeps.EncoderID); "" if
	// the evaluation has no id.
	Encoder string `json:"encoder,omitempty"`
	// Collection is the digest of corpus, queries and the split's qrels.
	Collection string `json:"collection_digest"`
	// Split is the part of the collection that is judged.
	Split string `json:"split"`
	// MeasuresVersion is that of the measures (plan.MeasuresVersion).
	MeasuresVersion int `json:"measures_version,omitempty"`

	// Dataset is the reference under which the collection was found. It is a name, and
	// what it names may change.
	Dataset string `json:"dataset"`
	// Name is of a baseline: "bm25" or "untrained".
	Name string `json:"name,omitempty"`
	// Backbone is the reference of an untrained baseline's model.
	Backbone string `json:"backbone,omitempty"`
	// Encoding is the form and the lengths of the vectors; nil for BM25.
	Encoding *sweeps.Encoding `json:"encoding,omitempty"`

	Queries   int                `json:"queries"`
	Documents int                `json:"documents"`
	Measures  map[string]float64 `json:"measures"`
	// ActiveQuery and ActiveDocument are mean active dims; Flops is Σ_j p_q(j)·p_d(j).
	// All three are absent for BM25.
	ActiveQuery    *float64 `json:"active_query,omitempty"`
	ActiveDocument *float64 `json:"active_document,omitempty"`
	Flops          *float64 `json:"flops,omitempty"`
	Seconds        Seconds  `json:"seconds"`
	// TieShare is the share of queries with equal scores among their first ten.
	TieShare *float64 `json:"tie_share,omitempty"`
	// TieMass is the share of the first ten places whose documents only the order of
	// their ids puts there (ir.TieMass).
	TieMass *float64 `json:"tie_mass,omitempty"`
	// Curve has the results with vectors cut to their greatest weights.
	Curve []Cut `json:"curve,omitempty"`
	// Refused says why there are no measures: the vectors were too dense to search.
	Refused string `json:"refused,omitempty"`
	// Files are the other files of the folder when they were written; none if an older
	// program wrote them, or if there are no measures.
	Files map[string]File `json:"files,omitempty"`
}

// File has the size and the digest of a file when it was written.
type File struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// FileOf reads a file's size and digest.
func FileOf(path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	digest, err := seal.SumFile(path)
	return File{info.Size(), digest}, err
}

// Check compares one of the files with its recorded size and digest. A file without a record
// passes.
func (e Evaluation) Check(folder, name string, digest seal.Digest) error {
	file, recorded := e.Files[name]
	if !recorded {
		return nil
	}
	return seal.CheckFile(filepath.Join(folder, name), file.Bytes, file.SHA256, digest)
}

// CheckEvaluation reads the summary of an evaluation's folder and compares the other files with it. Its error is
// *seal.Damage if a file is missing or has changed. digest may be nil, as for seal.Check.
func CheckEvaluation(folder string, digest seal.Digest) (Evaluation, error) {
	e, err := ReadEvaluation(folder)
	if err != nil {
		return e, err
	}
	for _, name := range []string{RunFile, PerQueryFile, CurveFile, VectorsFile} {
		if err := e.Check(folder, name, digest); err != nil {
			return e, fmt.Errorf("read evaluation: %w", err)
		}
	}
	return e, nil
}

// KeepsVectors reports whether the documents' vectors are kept.
func (e Evaluation) KeepsVectors() bool {
	_, kept := e.Files[VectorsFile]
	return kept
}

// LacksVectors reports whether a configuration asks to keep the documents' vectors and they
// are not kept. BM25 has none, and neither has an evaluation without measures.
func (e Evaluation) LacksVectors(c sweeps.EvaluateConfig) bool {
	return c.KeepVectors && e.Refused == "" && e.ActiveDocument != nil && !e.KeepsVectors()
}

// Seconds are the wall times of the phases.
type Seconds struct {
	Encode float64 `json:"encode"`
	Index  float64 `json:"index"`
	Search float64 `json:"search"`
	// Curve is the time of all cuts together.
	Curve float64 `json:"curve,omitempty"`
}

// ReadEvaluation reads the summary of an evaluation's folder. A file that an older
// program wrote has the first version of the measures.
func ReadEvaluation(folder string) (Evaluation, error) {
	path := filepath.Join(folder, SummaryFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Evaluation{}, fmt.Errorf("read evaluation: %w", err)
	}
	if err := seal.CheckJSON(path, text); err != nil && !errors.Is(err, seal.ErrNone) {
		return Evaluation{}, fmt.Errorf("read evaluation: %w", err)
	}
	var e struct {
		Evaluation
		Former string `json:"qrels_digest"` // what collection_digest was called
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return Evaluation{}, fmt.Errorf("read evaluation: %w", &seal.Damage{Path: path, What: err.Error()})
	}
	if e.Schema != 1 {
		return Evaluation{}, fmt.Errorf("read evaluation %s: schema is %d: want 1", path, e.Schema)
	}
	e.Collection = cmp.Or(e.Collection, e.Former)
	e.MeasuresVersion = cmp.Or(e.MeasuresVersion, 1)
	return e.Evaluation, nil
}
