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

// What is relevant to a query is what any of its rows says, wherever that stands: mostly the one document that each
// of them has. Of the queries that have others beside it, and of these alone, all documents are noted while the data
// are read for the first time, so that a few rows can be looked at without the others.

// note gathers what a row calls relevant: by texts where it has them, otherwise by ids.
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

// byTexts gathers again, by the texts behind the ids: two ids may have one text. A document is known by both.
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

// several goes through the queries of which one row alone does not know all, with all that is relevant to them.
func (f *files) several(d *distinct, fn func(lines.Entry) error) error {
	own := 1 // what a row knows: the document's text, and its id where it has one
	if f.layout.positive == byID {
		own = 2
	}
	var few []couple // of a query that may turn out to have no more
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

// relate makes of what was gathered what several goes through.
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

// writeRelated writes what relevant reads.
func (f *files) writeRelated(ctx context.Context, to io.Writer, d *distinct) error {
	return lines.WriteKeysOf(to, d.atMost(), func(fn func(lines.Entry) error) error {
		n := 0
		return f.several(d, func(e lines.Entry) error {
			if n++; n%65536 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			return fn(e)
		})
	})
}

// hold keeps it for this process alone.
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
		return d.trouble(err)
	}
	// Where the system allows it the name goes at once, so that nothing is left behind however this process ends.
	_ = os.Remove(file.Name())
	f.held = temporary{file}
	if err := f.writeRelated(ctx, file, d); err != nil {
		return d.trouble(err)
	}
	f.relevant, err = lines.OpenKeys(file)
	return err
}

// temporary is a file that goes when it is closed.
type temporary struct{ *os.File }

func (t temporary) Close() error {
	err := t.File.Close()
	_ = os.Remove(t.Name()) // mostly it is gone already
	return err
}

// related are all documents that are relevant to a query, ascending; none where each of its rows knows all of them.
func (f *files) related(query uint64) ([]uint64, error) {
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
