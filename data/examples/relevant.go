package examples

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"headroom/data/lines"
)

// A document is relevant to a query if any row of the query says so, wherever the row is. In most cases that is the
// one document of each row. For queries with more relevant documents than a row shows, and for these alone, all
// relevant documents are noted when the data are read for the first time. After that a few rows can be read without
// the others.

// note gathers the documents that a row calls relevant: by texts if it has them, otherwise by ids.
func (f *files) note(d *distinct, r *row, place int64) error {
	query, document := textKey, textKey
	if r.layout.query == byID {
		query = idKey
	}
	if r.layout.positive == byID {
		document = idKey
	}
	for _, positive := range r.positives {
		if err := d.add(couple{query: query(r.query), document: document(positive), place: place}); err != nil {
			return err
		}
	}
	return nil
}

// byTexts gathers again, by the texts of the ids: two ids may have the same text. A document is noted by both.
func (f *files) byTexts(ctx context.Context, byIDs, to *distinct) error {
	var r row
	n := 0
	return byIDs.each(func(c couple) error {
		if n++; n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		file, text, err := f.table.Line(c.place)
		if err != nil {
			return err
		}
		r.reset()
		if err := f.decoders[file].decode(text, &r); err != nil {
			return fmt.Errorf("read %s: %w: the file has changed", f.table.Where(c.place), err)
		}
		query, err := keyOf(f.queries, r.layout.query, r.query)
		if err != nil {
			return err
		}
		for _, positive := range r.positives {
			key := textKey(positive)
			if r.layout.positive == byID {
				key = idKey(positive)
			}
			if key != c.document {
				continue
			}
			text, err := keyOf(f.documents, r.layout.positive, positive)
			if err == nil {
				err = to.add(couple{query: query, document: text, place: c.place})
			}
			if err == nil && r.layout.positive == byID {
				err = to.add(couple{query: query, document: key, place: c.place})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// eachIncomplete calls fn for the queries with relevant documents that not every row shows, with all of these.
func (f *files) eachIncomplete(d *distinct, fn func(lines.Entry) error) error {
	own := 1 // the keys that a row shows: of the document's text, and of its id if it has one
	if f.layout.positive == byID {
		own = 2
	}
	var few []couple // of a query that may have no more
	n := 0           // documents of the query so far
	var query uint64
	return d.each(func(c couple) error {
		if n == 0 || c.query != query {
			query, n, few = c.query, 0, few[:0]
		}
		if n++; n <= own {
			few = append(few, c)
			return nil
		}
		for _, c := range append(few, c) {
			if err := fn(lines.Entry{Hash: c.query, Place: int64(c.document)}); err != nil {
				return err
			}
		}
		few = few[:0]
		return nil
	})
}

// relate turns the gathered couples into those that eachIncomplete reads.
func (f *files) relate(ctx context.Context, gathered *distinct) (*distinct, error) {
	d := gathered
	if f.layout.query == byID || f.layout.positive == byID {
		d = &distinct{most: gathered.most, dir: gathered.dir}
		if err := f.byTexts(ctx, gathered, d); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// writeRelated writes the file that relevant reads.
func (f *files) writeRelated(ctx context.Context, to io.Writer, d *distinct) error {
	return lines.WriteKeysOf(to, d.atMost(), func(fn func(lines.Entry) error) error {
		n := 0
		return f.eachIncomplete(d, func(e lines.Entry) error {
			if n++; n%65536 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			return fn(e)
		})
	})
}

// hold keeps the keys for this process alone.
func (f *files) hold(ctx context.Context, d *distinct) error {
	if d.atMost() <= heldCouples {
		var b bytes.Buffer
		err := f.writeRelated(ctx, &b, d)
		if err == nil {
			f.relevant, err = lines.OpenKeys(bytes.NewReader(b.Bytes()))
		}
		return err
	}
	file, err := os.CreateTemp(d.dir, "queries-*")
	if err != nil {
		return d.folderError(err)
	}
	// Where the system allows it the name is removed at once, so that no file is left, however this process ends.
	_ = os.Remove(file.Name())
	f.held = temporary{file}
	if err := f.writeRelated(ctx, file, d); err != nil {
		return d.folderError(err)
	}
	f.relevant, err = lines.OpenKeys(file)
	return err
}

// temporary is a file that is removed when it is closed.
type temporary struct{ *os.File }

func (t temporary) Close() error {
	err := t.File.Close()
	_ = os.Remove(t.Name()) // in most cases it is gone already
	return err
}

// relatedQueries returns all documents that are relevant to a query, ascending; none if each of its rows shows them all.
func (f *files) relatedQueries(query uint64) ([]uint64, error) {
	if f.relevant == nil {
		return nil, nil
	}
	var all []uint64
	err := f.relevant.Find(query, func(document int64) (bool, error) {
		all = append(all, uint64(document))
		return false, nil
	})
	slices.Sort(all)
	return all, err
}
