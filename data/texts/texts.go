// Package texts finds texts by their ids in files of any size. It needs some 60 bytes of memory per thousand texts.
// Files are read whole once, to check every row and to note the place of its id, which takes 16 bytes per text. The
// places are kept until a file changes.
//
// A file's name shows its form (collection.FormOf).
package texts

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"headroom/data/collection"
	"headroom/data/kept"
	"headroom/data/lines"
)

// Kind is the kind of the texts.
type Kind = collection.Kind

// The kinds. If documents have a title, their text is title, a space and text.
const (
	Documents = collection.Corpus
	Queries   = collection.Asked
)

// Texts holds open files. All methods but Close are safe for concurrent use.
type Texts struct {
	kind   Kind
	forms  []form // of each file
	table  *lines.Table
	keys   *lines.Keys
	held   io.Closer // the file that keys reads; nil if keys is in memory
	digest string
	// empty texts, and the first one's file and line
	empty      int
	firstEmpty string
}

// Open opens files of one kind, which together have each id once. Files that were never checked are checked now, until
// ctx ends.
func Open(ctx context.Context, kind Kind, files []string, store kept.Store) (*Texts, error) {
	t := &Texts{kind: kind}
	if err := t.open(ctx, files, store); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Texts) open(ctx context.Context, files []string, store kept.Store) error {
	key, err := kept.KeyOf("texts 2 "+string(t.kind), files...)
	if err != nil {
		return err
	}
	var opened []*lines.File
	for _, path := range files {
		f, form, err := openFile(ctx, t.kind, path, store)
		if err != nil {
			return closing(opened, err)
		}
		opened, t.forms = append(opened, f), append(t.forms, form)
	}
	if t.table, err = lines.NewTable(opened, make([]lines.Index, len(opened))); err != nil {
		return closing(opened, err)
	}
	name := store.File(key, "texts")
	if name != "" && t.read(name) == nil {
		return nil
	}
	entries, err := t.scan(ctx, opened)
	if err != nil {
		return err
	}
	lines.SortEntries(entries)
	if err := t.checkRepeated(entries); err != nil {
		return err
	}
	if name != "" {
		store.RemoveSuperseded(key, "texts")
		if store.WriteFile(name, func(to io.Writer) error { return t.write(to, entries) }) == nil && t.read(name) == nil {
			return nil
		}
	}
	var b buffer // keys that cannot be kept in a file stay in memory
	if err := lines.WriteKeys(&b, entries); err != nil {
		return err
	}
	t.keys, err = lines.OpenKeys(b)
	return err
}

func closing(files []*lines.File, err error) error {
	for _, f := range files {
		f.Close()
	}
	return err
}

// Digest covers the unpacked contents: "sha256:" and a hash.
func (t *Texts) Digest() string { return t.digest }

// Empty counts texts that have nothing but white space, and returns file and line of the first; "" if there is none.
func (t *Texts) Empty() (n int, first string) { return t.empty, t.firstEmpty }

// Name is the name of the files, for messages.
func (t *Texts) Name() string {
	if len(t.forms) == 1 {
		return t.table.Name(0)
	}
	return fmt.Sprintf("%s and %d more files", t.table.Name(0), len(t.forms)-1)
}

// Close closes the files.
func (t *Texts) Close() error {
	var err error
	if t.table != nil {
		err = t.table.Close()
	}
	if t.held != nil {
		err = closeBoth(err, t.held)
	}
	return err
}

func closeBoth(err error, c io.Closer) error {
	if closed := c.Close(); err == nil {
		err = closed
	}
	return err
}

// Text returns the text with an id.
func (t *Texts) Text(id string) (text string, found bool, err error) {
	err = t.keys.Find(lines.Hash([]byte(id)), func(place int64) (bool, error) {
		file, line, err := t.table.Line(place)
		if err != nil {
			return false, err
		}
		at, row, err := t.forms[file].parse(line)
		if err != nil {
			return false, fmt.Errorf("read %s: %w: the file has changed", t.table.Where(place), err)
		}
		if at == id {
			text, found = row, true
		}
		return found, nil
	})
	return text, found, err
}

// head is the first line of a kept file.
type head struct {
	Digest string `json:"digest"`
	Empty  int    `json:"empty"`
	First  string `json:"first"`
}

func (t *Texts) write(to io.Writer, entries []lines.Entry) error {
	text, err := json.Marshal(head{t.digest, t.empty, t.firstEmpty})
	if err != nil {
		return err
	}
	if _, err := to.Write(append(text, '\n')); err != nil {
		return err
	}
	return lines.WriteKeys(to, entries)
}

func (t *Texts) read(name string) error {
	file, err := kept.OpenFile(name)
	if err != nil {
		return err
	}
	err = file.Verify()
	var line []byte
	if err == nil {
		line, err = bufio.NewReader(io.NewSectionReader(file, 0, file.Size())).ReadBytes('\n')
	}
	var h head
	if err == nil {
		err = json.Unmarshal(line, &h)
	}
	if err == nil {
		t.keys, err = lines.OpenKeys(io.NewSectionReader(file, int64(len(line)), file.Size()-int64(len(line))))
	}
	if err != nil {
		file.Close()
		return err
	}
	t.held, t.digest, t.empty, t.firstEmpty = file, h.Digest, h.Empty, h.First
	return nil
}

// buffer is keys in memory.
type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

func (b buffer) ReadAt(p []byte, at int64) (int, error) {
	if at > int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
