package examples

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"headroom/data/kept"
	"headroom/data/lines"
	"headroom/data/texts"
	"headroom/internal/seal"
)

// Survey describes training data. All rows have been read and checked.
type Survey struct {
	// Rows is the number of examples.
	Rows int `json:"rows"`
	// Columns names the columns of each row.
	Columns string `json:"columns"`
	// Negatives is the number of hard negatives of the row with the fewest. Fewest is that row's file and line.
	Negatives int    `json:"negatives"`
	Fewest    string `json:"fewest"`
	// Scores reports whether the rows have a teacher's scores.
	Scores bool `json:"scores"`
	// EmptyQueries and EmptyDocuments count texts that have nothing but white space: rows with such a text or, if
	// rows have ids, such texts in the collection. FirstEmpty… is the first one's file and line.
	EmptyQueries       int    `json:"empty_queries"`
	FirstEmptyQuery    string `json:"first_empty_query"`
	EmptyDocuments     int    `json:"empty_documents"`
	FirstEmptyDocument string `json:"first_empty_document"`
	// OwnNegatives counts rows with their positive among their negatives. FirstOwn is the first one's place.
	OwnNegatives int    `json:"own_negatives"`
	FirstOwn     string `json:"first_own"`
	// Digest covers the contents of the examples and of the collection that resolves their ids.
	Digest string `json:"digest"`
}

// scan reads all rows and checks them.
func (f *files) scan(ctx context.Context, opened []*lines.File, gathered *distinct) ([]lines.Index, error) {
	indexes := make([]lines.Index, len(opened))
	total := sha256.New()
	check := checker{files: f}
	f.survey = Survey{Columns: f.layout.String(), Scores: f.layout.scores, Negatives: -1}
	var r row
	n := 0
	begin := int64(0) // of the file, among all files' bytes
	for i, o := range opened {
		sum, err := o.Scan(func(line lines.Line) error {
			if n++; n%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if f.decoders[i].headed() && line.At == 0 {
				return nil
			}
			r.reset()
			err := f.decoders[i].decode(line.Text, &r)
			if err == nil {
				err = r.checkLayout(f.layout)
			}
			if err == nil {
				err = check.ids(&r)
			}
			if err == nil {
				err = f.note(gathered, &r, begin+line.At)
			}
			if err != nil {
				return err
			}
			if have := len(r.negatives); f.survey.Negatives < 0 || have < f.survey.Negatives {
				f.survey.Negatives, f.survey.Fewest = have, place(o.Path, line.Number)
			}
			f.survey.count(&r, o.Path, line.Number)
			indexes[i].Add(line.At)
			return nil
		})
		if t, ok := f.decoders[i].(*table); err == nil && ok && t.packed {
			sum, err = seal.SumFile(o.Path) // the digest of the file itself: its lines are made by this program
		}
		if err != nil {
			return nil, err
		}
		begin += o.Size()
		f.survey.Rows += indexes[i].Rows
		fmt.Fprintf(total, "examples %s\n", sum)
	}
	for _, t := range []*texts.Texts{f.documents, f.queries} {
		if t != nil {
			fmt.Fprintf(total, "%s\n", t.Digest())
		}
	}
	f.countCollection()
	f.survey.Digest = "sha256:" + hex.EncodeToString(total.Sum(nil))
	return indexes, nil
}

// write writes the survey, the indexes and the documents relevant to queries, for read.
func (f *files) write(ctx context.Context, to io.Writer, indexes []lines.Index, related *distinct) error {
	w := bufio.NewWriter(to)
	text, err := json.Marshal(f.survey)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	for i := 0; i < len(indexes) && err == nil; i++ {
		_, err = indexes[i].WriteTo(w)
	}
	if err == nil {
		err = f.writeRelated(ctx, w, related)
	}
	return errors.Join(err, w.Flush())
}

func (f *files) read(name string, n int) (indexes []lines.Index, err error) {
	file, err := kept.OpenFile(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if f.held == nil {
			file.Close()
		}
	}()
	if err := file.Verify(); err != nil {
		return nil, err
	}
	in := bufio.NewReader(io.NewSectionReader(file, 0, file.Size()))
	text, err := in.ReadBytes('\n')
	var survey Survey
	if err == nil {
		err = json.Unmarshal(text, &survey)
	}
	at := int64(len(text))
	indexes = make([]lines.Index, n)
	for i := 0; i < n && err == nil; i++ {
		indexes[i], err = lines.ReadIndex(in)
		at += indexes[i].Size()
	}
	if err == nil {
		f.relevant, err = lines.OpenKeys(io.NewSectionReader(file, at, file.Size()-at))
	}
	if err != nil {
		return nil, err
	}
	f.held, f.survey = file, survey
	return indexes, nil
}
