package examples

import (
	"fmt"
	"strconv"

	"headroom/data/texts"
)

// checker looks for ids in the collection, each number at most once.
type checker struct {
	files              *files
	documents, queries seen
}

// seen remembers ids that are numbers and were found: millions of rows name the same documents again and again.
type seen []uint64

// seenNumbers bounds the memory of seen to 16 MiB.
const seenNumbers = 1 << 27

// ids checks all ids of a row.
func (c *checker) ids(r *row) error {
	if r.layout.query == byID {
		if err := c.queries.check(c.files.queries, "query", r.query); err != nil {
			return err
		}
	}
	if r.layout.positive == byID {
		for _, id := range r.positives {
			if err := c.documents.check(c.files.documents, "positive", id); err != nil {
				return err
			}
		}
	}
	if r.layout.negative == byID {
		for _, id := range r.negatives {
			if err := c.documents.check(c.files.documents, "negative", id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *seen) check(in *texts.Texts, what, id string) error {
	number, err := strconv.ParseUint(id, 10, 64)
	small := err == nil && number < seenNumbers && (id == "0" || id[0] != '0')
	if small && s.has(number) {
		return nil
	}
	_, found, err := in.Text(id)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s %q is not in %s", what, id, in.Name())
	}
	if small {
		s.add(number)
	}
	return nil
}

func (s *seen) has(number uint64) bool {
	word := number / 64
	return word < uint64(len(*s)) && (*s)[word]>>(number%64)&1 == 1
}

func (s *seen) add(number uint64) {
	word := number / 64
	for word >= uint64(len(*s)) {
		*s = append(*s, make([]uint64, max(1024, len(*s)))...)
	}
	(*s)[word] |= 1 << (number % 64)
}
