package loader

import (
	"sync"

	"headroom/data/examples"
)

// role distinguishes queries from documents, which are cut at different lengths.
type role int

const (
	roleQuery role = iota
	roleDocument
)

func (r role) String() string {
	if r == roleQuery {
		return "query"
	}
	return "document"
}

// shortened returns a text as one short line for a message.
func shortened(text string) string {
	const limit = 60
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

// A run goes through data of at most knownRows examples many times, so its token ids are kept, up to knownBytes of
// texts and ids. With more data, every text would be kept and hardly any used again.
const (
	knownRows  = 1 << 17
	knownBytes = 256 << 20
)

// known keeps token ids of texts that were tokenized before.
type known struct {
	mu    sync.Mutex
	texts [2]map[string][]int32 // by role; nil if none are kept
	bytes int
}

func newKnown(source examples.Source) *known {
	k := &known{}
	if source.Len() <= knownRows || source.Whole() {
		k.texts = [2]map[string][]int32{{}, {}}
	}
	return k
}

// ids returns the ids of a text; nil if they are not known.
func (k *known) ids(role role, text string) []int32 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.texts[role][text]
}

func (k *known) keep(role role, text string, ids []int32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	size := len(text) + 4*len(ids) + 64 // 64 for the map itself
	if k.texts[role] == nil || k.bytes+size > knownBytes || len(ids) == 0 {
		return
	}
	if _, twice := k.texts[role][text]; !twice {
		k.texts[role][text] = ids
		k.bytes += size
	}
}
