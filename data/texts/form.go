package texts

import (
	"context"
	"fmt"

	"headroom/data/collection"
	"headroom/data/kept"
	"headroom/data/lines"
	"headroom/data/parquet"
)

// form is how the lines of a file are read.
type form struct {
	collection.Form
	kind Kind
}

func openFile(ctx context.Context, kind Kind, path string, store kept.Store) (*lines.File, form, error) {
	m := form{kind: kind}
	var err error
	if m.Form, err = collection.FormOf(kind, path); err != nil {
		return nil, m, err
	}
	if !m.Headed() {
		f, err := lines.Open(ctx, path, store, nil)
		return f, m, err
	}
	f, err := lines.Open(ctx, path, store, parquet.Lines)
	if err != nil {
		return nil, m, err
	}
	head, err := f.First()
	if err == nil {
		err = m.Head(head)
	}
	if err != nil {
		f.Close()
		return nil, m, fmt.Errorf("read %s: %w", path, err)
	}
	return f, m, nil
}

// parse reads a line.
func (m *form) parse(line []byte) (id, text string, err error) {
	d, err := m.Row(line)
	if err != nil || m.kind == Queries {
		return d.ID, d.Text, err
	}
	return d.ID, d.Content(), nil
}
