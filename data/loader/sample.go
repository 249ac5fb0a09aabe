package loader

import (
	"math/rand/v2"

	"headroom/data/batch"
)

// Samples have a random generator of their own, apart from the order of batches.
const streamSample = 0x73616d706c65

// sampleRounds is the largest number of times that n examples are drawn in search of n that differ.
const sampleRounds = 16

// Sample returns up to n queries and their positives, no query and no document twice. A seed
// always gives the same ones, whatever batches were asked for. There are fewer than n if
// the data, or a large part of it, has no more.
func (l *Loader) Sample(n int, seed int64) (Batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopAhead()
	var queries, documents []string
	seen := [2]map[string]bool{{}, {}}
	draw := l.drawing(n, rand.New(rand.NewPCG(uint64(seed), streamSample)))
	for range sampleRounds {
		places := draw()
		if len(places) == 0 || len(queries) == n {
			break
		}
		list, err := l.source.Examples(places)
		if err != nil {
			return Batch{}, err
		}
		for _, e := range list {
			if len(queries) == n || seen[0][e.Query] || seen[1][e.Positive] {
				continue
			}
			seen[0][e.Query], seen[1][e.Positive] = true, true
			queries, documents = append(queries, e.Query), append(documents, e.Positive)
		}
	}
	var b Batch
	var err error
	if b.Queries, err = l.encode(queries, l.o.QueryPrompt, l.o.MaxQuery, roleQuery); err != nil {
		return Batch{}, err
	}
	b.Documents, err = l.encode(documents, l.o.DocumentPrompt, l.o.MaxDocument, roleDocument)
	return b, err
}

// drawing returns a function that draws up to n places that were not drawn before.
func (l *Loader) drawing(n int, random *rand.Rand) func() []batch.Place {
	rows := l.source.Len()
	place := func(row int) batch.Place { return batch.Place{Row: row, At: -1} }
	if rows <= sampleRounds*n {
		left := random.Perm(rows)
		return func() (places []batch.Place) {
			for _, row := range left[:min(n, len(left))] {
				places = append(places, place(row))
			}
			left = left[len(places):]
			return places
		}
	}
	drawn := map[int]bool{}
	return func() (places []batch.Place) {
		for len(places) < n && len(drawn) < rows {
			if row := random.IntN(rows); !drawn[row] {
				drawn[row] = true
				places = append(places, place(row))
			}
		}
		return places
	}
}
