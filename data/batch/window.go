package batch

import (
	"fmt"
	"math/rand/v2"
)

// window is a stretch of a Stream.
type window struct {
	stretch // its marks are those of the window's examples, then those of the first members of its first batch
	number  int
	places  []Place // in the same order
	// rest holds the first members of the next window's first batch.
	rest remainder
}

// remainder is the tail of a window.
type remainder struct {
	places []Place
	marks  []Mark
}

// read reads a window and finds its tail.
func (s *Stream) read(number int) (*window, error) {
	epoch, j := number/s.windows, number%s.windows
	t := s.tour(epoch)
	w := &window{number: number, stretch: stretch{
		n: s.begin(t, j+1) - s.begin(t, j), size: s.Size, begin: epoch*s.Rows + s.begin(t, j), turn: number * s.Size,
	}}
	ranges := s.ranges(t, j)
	var err error
	if w.marks, err = s.Marks(ranges, epoch); err != nil {
		return nil, err
	}
	if len(w.marks) != w.n {
		return nil, fmt.Errorf("make batches: %d marks of %d examples", len(w.marks), w.n)
	}
	w.places = make([]Place, 0, w.n)
	for _, r := range ranges {
		for row := r.From; row < r.To; row++ {
			w.places = append(w.places, Place{Row: row, Epoch: epoch, At: w.marks[len(w.places)].At})
		}
	}
	w.conflict = func(i, j int) bool { return i == j || w.marks[i].Conflicts(&w.marks[j]) }
	w.company = func() company { return newCrowd(w.marks) }
	if w.fallback = w.together(); len(w.fallback) < s.Size {
		return nil, &CrowdedError{Size: s.Size, Found: len(w.fallback), Rows: w.n}
	}
	w.permutation = permutation(s.Seed, number, w.n)
	_, tail := w.tail()
	for _, i := range tail {
		w.rest.places = append(w.rest.places, w.places[i])
		w.rest.marks = append(w.rest.marks, w.marks[i])
	}
	return w, nil
}

// ranges are the rows of window j of a tour, block by block.
func (s *Stream) ranges(t tour, j int) []Range {
	ranges := make([]Range, 0, s.bound(j+1)-s.bound(j))
	for _, block := range t.blocks[s.bound(j):s.bound(j+1)] {
		ranges = append(ranges, Range{block * Block, min((block+1)*Block, s.Rows)})
	}
	return ranges
}

// arrangeAfter puts the window into batches. The first batch begins with the tail of the window before.
func (w *window) arrangeAfter(left remainder) {
	for i := range left.places {
		w.begun = append(w.begun, w.n+i)
	}
	w.places = append(w.places, left.places...)
	w.marks = append(w.marks, left.marks...)
	w.arrange()
	w.marks, w.permutation, w.conflict, w.company = nil, nil, nil, nil // from now on only the batches are needed
}

// holds reports whether the window has a place of the endless sequence.
func (w *window) holds(place int) bool { return w.begin <= place && place < w.begin+w.n }

// batch returns the places of a step.
func (w *window) batch(step int) []Place {
	members := w.batches[step-w.firstStep]
	batch := make([]Place, len(members))
	for i, member := range members {
		batch[i] = w.places[member]
	}
	return batch
}

// tour is the order of an epoch's blocks.
type tour struct {
	blocks []int
	last   int // place of the data's last block, which may be short
}

func (s *Stream) tour(epoch int) tour {
	t := tour{}
	if s.windows > 1 {
		t.blocks = rand.New(rand.NewPCG(uint64(s.Seed), 1<<63|uint64(epoch))).Perm(s.blocks)
	}
	for i := range s.blocks {
		if s.windows == 1 {
			t.blocks = append(t.blocks, i)
		}
		if t.blocks[i] == s.blocks-1 {
			t.last = i
		}
	}
	return t
}

// bound is the index in the tour of window j's first block; j may be the number of windows.
func (s *Stream) bound(j int) int { return int(int64(j) * int64(s.blocks) / int64(s.windows)) }

// begin is the place within the epoch of window j's first example.
func (s *Stream) begin(t tour, j int) int {
	begin := s.bound(j) * Block
	if t.last < s.bound(j) {
		begin -= s.blocks*Block - s.Rows
	}
	return begin
}
