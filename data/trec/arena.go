package trec

import "strings"

// block is the number of bytes of ids in one allocation. Ids are short: with a string for each, the allocation would
// cost as much memory as the id.
const block = 1 << 16

// arena keeps ids. The zero value is ready.
type arena struct{ text strings.Builder }

// keep returns a string with the bytes' content.
func (a *arena) keep(id []byte) string {
	if a.text.Cap()-a.text.Len() < len(id) {
		a.text = strings.Builder{}
		a.text.Grow(max(block, len(id)))
	}
	start := a.text.Len()
	a.text.Write(id)
	return a.text.String()[start:]
}
