package texts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"headroom/data/lines"
	"headroom/internal/seal"
)

// scan reads all rows, notes the places of their ids and digests the contents.
func (t *Texts) scan(ctx context.Context, files []*lines.File) ([]lines.Entry, error) {
	var entries []lines.Entry
	total := sha256.New()
	for i, f := range files {
		n := 0
		sum, err := f.Scan(func(line lines.Line) error {
			if n++; n%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if line.At == 0 && t.forms[i].Headed() {
				return nil
			}
			id, text, err := t.forms[i].parse(line.Text)
			if err == nil {
				if strings.TrimSpace(text) == "" {
					if t.empty++; t.empty == 1 {
						t.firstEmpty = f.Path + ":" + strconv.Itoa(line.Number)
					}
				}
				entries = append(entries, lines.Entry{Hash: lines.Hash([]byte(id)), Place: t.table.Place(i, line.At)})
			}
			return err
		})
		if err == nil && t.forms[i].Headed() {
			sum, err = seal.SumFile(f.Path) // the digest of the file itself: its lines are made by this program
		}
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(total, "%s %s\n", t.kind, sum)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("read %s: it holds no %s", files[0].Path, t.kind)
	}
	t.digest = "sha256:" + hex.EncodeToString(total.Sum(nil))
	return entries, nil
}

// checkRepeated refuses ids that occur twice among sorted entries.
func (t *Texts) checkRepeated(entries []lines.Entry) error {
	for from := 0; from < len(entries); {
		to := from + 1
		for to < len(entries) && entries[to].Hash == entries[from].Hash {
			to++
		}
		if to-from > 1 {
			if err := t.checkDifferent(entries[from:to]); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

// checkDifferent checks that entries with the same hash have different ids.
func (t *Texts) checkDifferent(entries []lines.Entry) error {
	first := map[string]int64{}
	for _, e := range entries {
		file, line, err := t.table.Line(e.Place)
		if err != nil {
			return err
		}
		id, _, err := t.forms[file].parse(line)
		if err != nil {
			return err
		}
		if at, twice := first[id]; twice {
			return fmt.Errorf("read %s: id %q: already in %s; an id is allowed once", t.table.Where(e.Place), id, t.table.Where(at))
		}
		first[id] = e.Place
	}
	return nil
}
