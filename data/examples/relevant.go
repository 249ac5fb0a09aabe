package examples

import (
	"bytes"
	"context"
	"fmt"
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

// several finds the queries of which one row alone does not know all, with all that is relevant to them.
func (f *files) several(d *distinct) ([]lines.Entry, error) {
	own := 1 // what a row knows: the document's text, and its id where it has one
	if f.layout.positive == byID {
		own = 2
	}
	var entries []lines.Entry
	from := 0 // of the query's
	err := d.each(func(c couple) error {
		if from < len(entries) && entries[from].Hash != c.query {
			if len(entries)-from <= own {
				entries = entries[:from]
			}
			from = len(entries)
		}
		entries = append(entries, lines.Entry{Hash: c.query, Place: int64(c.document)})
		return nil
	})
	if len(entries)-from <= own {
		entries = entries[:from]
	}
	return entries, err
}

// relate makes of what was gathered what relevant asks.
func (f *files) relate(ctx context.Context, d *distinct) ([]lines.Entry, error) {
	if f.layout.query == byID || f.layout.positive == byID {
		texts := &distinct{most: d.most, dir: d.dir}
		defer texts.close()
		if err := f.byTexts(ctx, d, texts); err != nil {
			return nil, err
		}
		d = texts
	}
	entries, err := f.several(d)
	lines.SortEntries(entries)
	return entries, err
}

// hold keeps entries in memory, where there is no file for them.
func (f *files) hold(entries []lines.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := lines.WriteKeys(&b, entries); err != nil {
		return err
	}
	var err error
	f.relevant, err = lines.OpenKeys(bytes.NewReader(b.Bytes()))
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
