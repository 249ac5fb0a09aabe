package examples

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"headroom/data/kept"
	"headroom/data/lines"
	"headroom/data/parquet"
	"headroom/data/texts"
)

// files are examples on disk.
type files struct {
	survey             Survey
	layout             layout
	decoders           []decoder // of each file
	table              *lines.Table
	documents, queries *texts.Texts // nil if the rows have no such ids
	sources            []string     // all files that the examples depend on
	relevant           *lines.Keys  // documents by query, of queries that have several; nil without any
	held               io.Closer    // the file that relevant reads; nil if relevant is in memory
}

// openFiles opens files and reads them whole, unless the result of doing so is kept.
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
	err := f.readFirst(opened)
	if err == nil {
		f.sources, err = f.collection(ctx, set, store)
	}
	if err != nil {
		return fail(err)
	}
	key, err := kept.KeyOf("examples 2", f.sources...)
	if err != nil {
		return fail(err)
	}
	name := store.File(key, "examples")
	if indexes, err := f.read(name, len(opened)); err == nil {
		if f.table, err = lines.NewTable(opened, indexes); err != nil {
			return fail(err)
		}
		return nil
	}
	gathered := &distinct{most: heldCouples, dir: store.Dir}
	defer gathered.close()
	indexes, err := f.scan(ctx, opened, gathered)
	if err != nil {
		return fail(err)
	}
	if f.table, err = lines.NewTable(opened, indexes); err != nil {
		return fail(err)
	}
	related, err := f.relate(ctx, gathered)
	if err != nil {
		return err
	}
	defer related.close()
	if name != "" {
		store.RemoveSuperseded(key, "examples")
		// A result that cannot be kept is computed again next time.
		if store.WriteFile(name, func(to io.Writer) error { return f.write(ctx, to, indexes, related) }) == nil {
			if _, err := f.read(name, len(opened)); err == nil {
				return nil
			}
		}
	}
	return f.hold(ctx, related)
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

// readFirst reads the first row of all. All other rows must have its columns.
func (f *files) readFirst(opened []*lines.File) error {
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

// collection opens the collection that resolves ids, and returns all files that the examples depend on.
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
		names, err := set.findPart(part.kind)
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

// Close closes what is open.
func (f *files) Close() error {
	var err error
	if f.table != nil {
		err = f.table.Close()
	}
	if f.held != nil {
		err = errors.Join(err, f.held.Close())
	}
	for _, t := range []*texts.Texts{f.documents, f.queries} {
		if t != nil {
			err = errors.Join(err, t.Close())
		}
	}
	return err
}
