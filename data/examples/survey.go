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
	"os"
	"strconv"
	"strings"

	"headroom/data/kept"
	"headroom/data/lines"
	"headroom/data/parquet"
	"headroom/data/texts"
)

// Survey is what can be told of training data without training on it. All rows were read and are sound.
type Survey struct {
	// Rows is the number of examples.
	Rows int `json:"rows"`
	// Columns names what each row has.
	Columns string `json:"columns"`
	// Negatives is the number of hard negatives of the row that has fewest, which is Fewest: file and line.
	Negatives int    `json:"negatives"`
	Fewest    string `json:"fewest"`
	// Scores tells whether the rows have a teacher's scores.
	Scores bool `json:"scores"`
	// Digest stands for the contents of the examples and of the collection that their ids are resolved against.
	Digest string `json:"digest"`
}

// files are examples on disk.
type files struct {
	survey             Survey
	layout             layout
	decoders           []decoder // of each file
	table              *lines.Table
	documents, queries *texts.Texts // nil where no id is to be resolved
}

// openFiles opens files and reads them whole, unless what that found is kept.
func openFiles(ctx context.Context, set Set, store kept.Store) (*files, error) {
	f := &files{}
	if err := f.open(ctx, set, store); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *files) open(ctx context.Context, set Set, store kept.Store) error {
	var opened []*lines.File
	fail := func(err error) error {
		for _, o := range opened {
			o.Close()
		}
		return err
	}
	for _, path := range set.Files {
		o, d, err := openFile(ctx, path, store)
		if err != nil {
			return fail(err)
		}
		opened, f.decoders = append(opened, o), append(f.decoders, d)
	}
	sources := set.Files
	err := f.first(opened)
	if err == nil {
		sources, err = f.collection(ctx, set, store)
	}
	if err != nil {
		return fail(err)
	}
	key, err := kept.KeyOf("examples 1", sources...)
	if err != nil {
		return fail(err)
	}
	name := store.File(key, "examples")
	indexes, err := f.read(name, len(opened))
	if err != nil {
		if indexes, err = f.scan(ctx, opened); err != nil {
			return fail(err)
		}
		if name != "" {
			store.Superseded(key, "examples")
			// What cannot be kept is found out again.
			_ = kept.WriteFile(name, func(to *os.File) error { return f.write(to, indexes) })
		}
	}
	f.table, err = lines.NewTable(opened, indexes)
	return err
}

// openFile opens one file and finds how its lines are read.
func openFile(ctx context.Context, path string, store kept.Store) (*lines.File, decoder, error) {
	var unpack lines.Unpack
	if strings.HasSuffix(path, ".parquet") {
		unpack = parquet.Lines
	}
	o, err := lines.Open(ctx, path, store, unpack)
	if err != nil {
		return nil, nil, err
	}
	var d decoder = objects{}
	if !strings.HasSuffix(strings.TrimSuffix(path, ".gz"), ".jsonl") {
		var first []byte
		if first, err = o.First(); err == nil && first == nil {
			err = errNothing
		}
		if err == nil && unpack != nil {
			d, err = packedDecoder(first)
		} else if err == nil {
			d, err = tsvDecoder(first)
		}
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read %s: %w", path, err), o.Close())
	}
	return o, d, nil
}

var errNothing = errors.New("it holds no examples")

// errEnough ends a reading early.
var errEnough = errors.New("enough")

// first reads the first row of all, whose columns the others must have.
func (f *files) first(opened []*lines.File) error {
	for i, o := range opened {
		var r row
		_, err := o.Scan(func(line lines.Line) error {
			if f.decoders[i].headed() && line.At == 0 {
				return nil
			}
			if err := f.decoders[i].decode(line.Text, &r); err != nil {
				return err
			}
			return errEnough
		})
		if errors.Is(err, errEnough) {
			f.layout = r.layout
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("read %s: %w", opened[0].Path, errNothing)
}

// collection opens what ids are resolved against and returns all files that the examples depend on.
func (f *files) collection(ctx context.Context, set Set, store kept.Store) ([]string, error) {
	sources := set.Files
	for _, part := range []struct {
		kind   texts.Kind
		needed bool
		to     **texts.Texts
	}{
		{texts.Documents, f.layout.positive == byID || f.layout.negative == byID, &f.documents},
		{texts.Queries, f.layout.query == byID, &f.queries},
	} {
		if !part.needed {
			continue
		}
		names, err := set.beside(part.kind)
		if err != nil {
			return nil, err
		}
		if *part.to, err = texts.Open(ctx, part.kind, names, store); err != nil {
			return nil, err
		}
		sources = append(sources[:len(sources):len(sources)], names...)
	}
	return sources, nil
}

// scan reads all rows and checks them.
func (f *files) scan(ctx context.Context, opened []*lines.File) ([]lines.Index, error) {
	indexes := make([]lines.Index, len(opened))
	total := sha256.New()
	check := checker{files: f}
	f.survey = Survey{Columns: f.layout.String(), Scores: f.layout.scores, Negatives: -1}
	var r row
	n := 0
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
				err = r.agrees(f.layout)
			}
			if err == nil {
				err = check.ids(&r)
			}
			if err != nil {
				return err
			}
			if have := len(r.negatives); f.survey.Negatives < 0 || have < f.survey.Negatives {
				f.survey.Negatives, f.survey.Fewest = have, o.Path+":"+strconv.Itoa(line.Number)
			}
			indexes[i].Add(line.At)
			return nil
		})
		if t, ok := f.decoders[i].(*table); err == nil && ok && t.packed {
			sum, err = sumOf(o.Path) // its lines are of our making
		}
		if err != nil {
			return nil, err
		}
		f.survey.Rows += indexes[i].Rows
		fmt.Fprintf(total, "examples %s\n", sum)
	}
	for _, t := range []*texts.Texts{f.documents, f.queries} {
		if t != nil {
			fmt.Fprintf(total, "%s\n", t.Digest())
		}
	}
	f.survey.Digest = "sha256:" + hex.EncodeToString(total.Sum(nil))
	return indexes, nil
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// write keeps a survey and indexes for read.
func (f *files) write(to io.Writer, indexes []lines.Index) error {
	w := bufio.NewWriter(to)
	text, err := json.Marshal(f.survey)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	for i := 0; i < len(indexes) && err == nil; i++ {
		_, err = indexes[i].WriteTo(w)
	}
	return errors.Join(err, w.Flush())
}

func (f *files) read(name string, n int) ([]lines.Index, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	text, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(text, &f.survey)
	}
	indexes := make([]lines.Index, n)
	for i := 0; i < n && err == nil; i++ {
		indexes[i], err = lines.ReadIndex(in)
	}
	return indexes, err
}

// Close closes what is open.
func (f *files) Close() error {
	var err error
	if f.table != nil {
		err = f.table.Close()
	}
	for _, t := range []*texts.Texts{f.documents, f.queries} {
		if t != nil {
			err = errors.Join(err, t.Close())
		}
	}
	return err
}
