package probe

import (
	"fmt"
	"strings"
	"unicode"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/examples"
)

// Pair is a query and its document.
type Pair struct {
	Query, Document string
}

// A sample is up to sampleBatches batches of batchSize pairs, the default batch
// of a sweep.
const (
	batchSize     = 32
	sampleBatches = 2
)

// split makes batches of one size, so that chance level is one number. Fewer pairs than
// fill the batches make one batch.
func split(pairs []Pair) [][]Pair {
	if len(pairs) < batchSize*sampleBatches {
		return [][]Pair{pairs[:min(len(pairs), batchSize)]}
	}
	var out [][]Pair
	for i := range sampleBatches {
		out = append(out, pairs[i*batchSize:(i+1)*batchSize])
	}
	return out
}

// FromCollection takes training pairs of a collection, no two of which conflict within
// a batch. It takes the same pairs each time.
func FromCollection(folder string) ([]Pair, error) {
	c, err := collection.Open(folder)
	if err != nil {
		return nil, err
	}
	list, err := examples.FromCollection(c, collection.Train)
	if err != nil {
		return nil, err
	}
	sampler, err := batch.New(len(list), min(batchSize, len(list)), 1, batch.Shuffle, examples.Conflict(list))
	if err != nil {
		return nil, err
	}
	var pairs []Pair
	for step := range sampleBatches {
		for _, i := range sampler.At(step) {
			pairs = append(pairs, Pair{list[i].Query, list[i].Positive})
		}
	}
	return pairs, nil
}

// FromTexts makes pairs of plain texts, as in the inverse cloze task: the first
// sentence is the query and the rest its document. A text of one sentence is cut after
// half of its words. Texts of fewer than two words and repeated texts are skipped. Texts
// after those that fill the sample are ignored.
func FromTexts(texts []string) ([]Pair, error) {
	var pairs []Pair
	seen := map[Pair]bool{}
	for _, text := range texts {
		p, ok := cut(text)
		if !ok || seen[p] {
			continue
		}
		seen[p] = true
		if pairs = append(pairs, p); len(pairs) == batchSize*sampleBatches {
			break
		}
	}
	if len(pairs) < 2 {
		return nil, fmt.Errorf("make pairs of %d texts: %d usable: at least 2 different texts of two words or more are needed", len(texts), len(pairs))
	}
	return pairs, nil
}

// cut splits a text after its first sentence, or in its middle.
func cut(text string) (Pair, bool) {
	text = strings.TrimSpace(text)
	end := -1
	for i, r := range text {
		if end >= 0 && unicode.IsSpace(r) {
			return Pair{text[:end], strings.TrimSpace(text[end:])}, true
		}
		end = -1
		if strings.ContainsRune(".!?。！？", r) {
			end = i + len(string(r))
		}
	}
	words := strings.Fields(text)
	if len(words) < 2 {
		return Pair{}, false
	}
	half := len(words) / 2
	return Pair{strings.Join(words[:half], " "), strings.Join(words[half:], " ")}, true
}
