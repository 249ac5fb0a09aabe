package examples

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"headroom/data/batch"
	"headroom/data/texts"
)

// reader reads a run's examples from files.
type reader struct {
	*files
	Options
}

func (r *reader) Len() int    { return r.survey.Rows }
func (r *reader) Whole() bool { return false }

func (r *reader) Survey() Survey { return r.survey }

// choose picks the positive and the negatives of a row for an epoch. Columns of negatives are taken in their order,
// as sentence-transformers does. Lists of negatives have no order: each epoch draws others from them. Several
// positives take turns.
func (r *reader) choose(from *row, number, epoch int) (positive string, negatives []string, err error) {
	if len(from.negatives) < r.Negatives {
		return "", nil, fmt.Errorf("row %d has %d hard negatives; %d are asked for: the file has changed", number+1, len(from.negatives), r.Negatives)
	}
	positive = from.positives[epoch%len(from.positives)]
	if from.lists {
		// The first elements of a shuffle that depends on seed, row and epoch alone.
		random := rand.New(rand.NewPCG(uint64(r.Seed)^drawing, uint64(epoch)<<40|uint64(number)))
		for i := range r.Negatives {
			j := i + random.IntN(len(from.negatives)-i)
			from.negatives[i], from.negatives[j] = from.negatives[j], from.negatives[i]
		}
	}
	return positive, from.negatives[:r.Negatives], nil
}

// drawing separates the draws of negatives from other draws with the same seed.
const drawing = 0x6e65676174697665

// Marks reads the keys of rows. The mark of a row does not depend on the other rows.
func (r *reader) Marks(ranges []batch.Range, epoch int) ([]batch.Mark, error) {
	total := 0
	for _, span := range ranges {
		total += span.To - span.From
	}
	all := make([]batch.Mark, 0, total)
	others := map[uint64][]uint64{} // by query
	var line row
	for _, span := range ranges {
		number := span.From
		err := r.table.Read(span.From, span.To, func(file int, place int64, text []byte) error {
			m, err := r.mark(&line, file, text, number, epoch)
			if err != nil {
				return err
			}
			known, looked := others[m.query]
			if !looked {
				if known, err = r.relatedQueries(m.query); err != nil {
					return err
				}
				others[m.query] = known
			}
			all = append(all, batch.Mark{
				Query: m.query, Positive: m.positive, Relevant: union(known, append(m.relevant, m.positive)), Negatives: m.negatives, At: place,
			})
			number++
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// mark makes the keys of a row. A document's key is the key of its text, but a negative that is given by id has the
// key of its id, because there may be many.
func (r *reader) mark(line *row, file int, text []byte, number, epoch int) (m marked, err error) {
	if err := r.decode(line, file, text); err != nil {
		return m, err
	}
	positive, negatives, err := r.choose(line, number, epoch)
	if err != nil {
		return m, err
	}
	if m.query, err = keyOf(r.queries, line.layout.query, line.query); err != nil {
		return m, err
	}
	if m.positive, err = keyOf(r.documents, line.layout.positive, positive); err != nil {
		return m, err
	}
	for _, other := range line.positives {
		if line.layout.positive == byID {
			m.relevant = append(m.relevant, idKey(other))
		}
		if other != positive {
			key, err := keyOf(r.documents, line.layout.positive, other)
			if err != nil {
				return m, err
			}
			m.relevant = append(m.relevant, key)
		}
	}
	for _, negative := range negatives {
		if line.layout.negative == byID {
			m.negatives = append(m.negatives, idKey(negative))
		} else {
			m.negatives = append(m.negatives, textKey(negative))
		}
	}
	return m, nil
}

// union returns the ascending keys of known with those of own that known lacks. It does not change known, which may be
// shared.
func union(known, own []uint64) []uint64 {
	slices.Sort(own)
	own = slices.Compact(own)
	if known == nil {
		return slices.Clip(own)
	}
	for _, key := range own {
		if at, found := slices.BinarySearch(known, key); !found { // from a row that was added since
			known = slices.Insert(slices.Clone(known), at, key)
		}
	}
	return known
}

func (r *reader) decode(line *row, file int, text []byte) error {
	line.reset()
	if err := r.decoders[file].decode(text, line); err != nil {
		return err
	}
	return line.checkLayout(r.layout)
}

func keyOf(in *texts.Texts, how by, value string) (uint64, error) {
	text, err := resolve(in, how, value)
	return textKey(text), err
}

// resolve returns the text for a value of a row, which is the text or its id.
func resolve(in *texts.Texts, how by, value string) (string, error) {
	if how != byID {
		return value, nil
	}
	text, found, err := in.Text(value)
	if err == nil && !found {
		err = fmt.Errorf("id %q is not in %s: it has changed", value, in.Name())
	}
	return text, err
}

// Examples reads the rows at places.
func (r *reader) Examples(places []batch.Place) ([]Example, error) {
	list := make([]Example, 0, len(places))
	var line row
	take := func(file int, text []byte, place batch.Place) error {
		if err := r.decode(&line, file, text); err != nil {
			return err
		}
		e, err := r.example(&line, place)
		list = append(list, e)
		return err
	}
	for from := 0; from < len(places); {
		if places[from].At >= 0 {
			file, text, err := r.table.Line(places[from].At)
			if err == nil {
				err = take(file, text, places[from])
			}
			if err != nil {
				return nil, fmt.Errorf("read %s, row %d: %w", r.table.Name(file), places[from].Row+1, err)
			}
			from++
			continue
		}
		to := from + 1 // neighbouring rows are read together
		for to < len(places) && places[to].At < 0 && places[to].Row == places[to-1].Row+1 {
			to++
		}
		run := places[from:to]
		err := r.table.Read(run[0].Row, run[0].Row+len(run), func(file int, _ int64, text []byte) error {
			place := run[0]
			run = run[1:]
			return take(file, text, place)
		})
		if err != nil {
			return nil, err
		}
		from = to
	}
	return list, nil
}

// example resolves a row.
func (r *reader) example(line *row, place batch.Place) (e Example, err error) {
	positive, negatives, err := r.choose(line, place.Row, place.Epoch)
	if err != nil {
		return e, err
	}
	if e.Query, err = resolve(r.queries, line.layout.query, line.query); err != nil {
		return e, err
	}
	if e.Positive, err = resolve(r.documents, line.layout.positive, positive); err != nil {
		return e, err
	}
	for _, negative := range negatives {
		text, err := resolve(r.documents, line.layout.negative, negative)
		if err != nil {
			return e, err
		}
		e.Negatives = append(e.Negatives, text)
	}
	if line.layout.scores {
		e.Scores = line.teacher(len(negatives))
	}
	return e, nil
}

// teacher returns the scores of the positive and of the first n negatives.
func (r *row) teacher(n int) []float32 {
	scores := make([]float32, 0, n+1)
	if !r.layout.margins {
		for _, score := range r.scores[:n+1] {
			scores = append(scores, float32(score))
		}
		return scores
	}
	scores = append(scores, 0)
	for _, margin := range r.scores[:n] {
		scores = append(scores, float32(-margin))
	}
	return scores
}
