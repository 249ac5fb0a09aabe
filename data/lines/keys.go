package lines

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// Entry is the place of a text, with the hash of its id.
type Entry struct {
	Hash  uint64
	Place int64
}

// Hash is the hash of an id: FNV-1a with its bits mixed, since its upper bits hardly depend on short ids.
func Hash(id []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range id {
		h = (h ^ uint64(b)) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Keys finds places by the hash of an id, with one read of a file from WriteKeys. It needs some 60 kB of memory per
// million ids. It is safe for concurrent use.
type Keys struct {
	file      io.ReaderAt
	shift     int      // of a hash to the number of its bucket
	directory []uint32 // entries before each bucket; one more than there are buckets
	start     int64    // of the entries
}

const (
	keysMagic  = "headroom keys 1\n"
	entrySize  = 16
	maxEntries = 1<<32 - 1
)

// SortEntries sorts by hash, then by place.
func SortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Place, b.Place))
	})
}

// WriteKeys writes sorted entries for OpenKeys.
func WriteKeys(to io.Writer, entries []Entry) error {
	return WriteKeysOf(to, len(entries), func(fn func(Entry) error) error {
		for _, e := range entries {
			if err := fn(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// WriteKeysOf is WriteKeys for entries that are not in memory. It calls each twice, to go through all entries; about
// is their approximate number.
func WriteKeysOf(to io.Writer, about int, each func(fn func(Entry) error) error) error {
	logBuckets := min(30, bits.Len(uint(about/64)))
	directory := make([]uint32, 1<<logBuckets+1)
	n := 0
	err := each(func(e Entry) error {
		if n++; n > maxEntries {
			return fmt.Errorf("write keys: more than the %d ids that are allowed", maxEntries)
		}
		directory[bucket(e.Hash, 64-logBuckets)+1]++
		return nil
	})
	if err != nil {
		return err
	}
	for i := range directory[1:] {
		directory[i+1] += directory[i]
	}
	w := bufio.NewWriterSize(to, 1<<18)
	buffer := append([]byte(keysMagic), byte(logBuckets))
	for _, n := range directory {
		buffer = binary.LittleEndian.AppendUint32(buffer, n)
	}
	if _, err := w.Write(buffer); err != nil {
		return err
	}
	err = each(func(e Entry) error {
		buffer = binary.LittleEndian.AppendUint64(buffer[:0], e.Hash)
		_, err := w.Write(binary.LittleEndian.AppendUint64(buffer, uint64(e.Place)))
		return err
	})
	return errors.Join(err, w.Flush())
}

func bucket(hash uint64, shift int) int {
	if shift == 64 {
		return 0
	}
	return int(hash >> shift)
}

// OpenKeys reads the head of a file from WriteKeys.
func OpenKeys(file io.ReaderAt) (*Keys, error) {
	head := make([]byte, len(keysMagic)+1)
	if _, err := file.ReadAt(head, 0); err != nil || string(head[:len(keysMagic)]) != keysMagic || head[len(keysMagic)] > 32 {
		return nil, errors.Join(errors.New("read keys: not a file of keys"), err)
	}
	logBuckets := int(head[len(keysMagic)])
	directory := make([]byte, 4*(1<<logBuckets+1))
	if _, err := file.ReadAt(directory, int64(len(head))); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	k := &Keys{file: file, shift: 64 - logBuckets, start: int64(len(head) + len(directory))}
	for i := 0; i < len(directory); i += 4 {
		k.directory = append(k.directory, binary.LittleEndian.Uint32(directory[i:]))
	}
	return k, nil
}

// Find calls fn with the places of ids that have this hash, ascending, until fn returns found. Different ids may share
// a hash, so fn must compare the id.
func (k *Keys) Find(hash uint64, fn func(place int64) (found bool, err error)) error {
	b := bucket(hash, k.shift)
	from, to := k.directory[b], k.directory[b+1]
	if from >= to {
		return nil
	}
	entries := make([]byte, entrySize*int(to-from))
	if n, err := k.file.ReadAt(entries, k.start+entrySize*int64(from)); n < len(entries) {
		return fmt.Errorf("read keys: %w", err)
	}
	for ; len(entries) > 0; entries = entries[entrySize:] {
		if binary.LittleEndian.Uint64(entries) != hash {
			continue
		}
		if found, err := fn(int64(binary.LittleEndian.Uint64(entries[8:]))); found || err != nil {
			return err
		}
	}
	return nil
}
