package batch

import (
	"sort"
	"sync"
)

// The reach of the order "shuffle" in a Stream. An epoch's blocks of Block consecutive rows are permuted over the
// whole data. Neighbouring blocks of the permutation form windows of Window to 2·Window rows, and rows are shuffled
// within a window. A window has at least 8 batches. Data that is too small for two windows is one window: its rows
// are shuffled without limits.
const (
	Block  = 256
	Window = 1 << 16
)

// Place is a slot of a batch: a row of the data, and the row's epoch, counted from 0.
type Place struct {
	Row, Epoch int
	// At is the row's Mark.At; −1 in the order "file".
	At int64
}

// Range are the rows From … To−1.
type Range struct{ From, To int }

// StreamOptions describes the examples and batches of a Stream.
type StreamOptions struct {
	// Rows is the number of examples, Size the number in a batch.
	Rows, Size int
	Seed       int64
	Order      string // Shuffle or File
	// Whole makes each epoch one window, whatever Rows is: the order is then that of a Sampler.
	Whole bool
	// Marks returns the marks of the rows in the ranges, in their order, for an epoch. It is called from one
	// goroutine at a time, and never in the order "file".
	Marks func(ranges []Range, epoch int) ([]Mark, error)
}

// Stream composes batches of more examples than fit in memory. It holds two windows at a time: the one in use,
// and the next, which it prepares in the background. It is safe for concurrent use.
type Stream struct {
	StreamOptions
	blocks, windows int // of an epoch

	mu      sync.Mutex
	first   *window // read by NewStream, until it is used
	current *window
	ahead   chan made // the window after current
}

// made is the result of making a window.
type made struct {
	window *window
	err    error
}

// NewStream checks that the first window can be put into batches.
func NewStream(o StreamOptions) (*Stream, error) {
	s, err := newStream(o)
	if err != nil || o.Order == File {
		return s, err
	}
	s.first, err = s.read(0)
	return s, err
}

func newStream(o StreamOptions) (*Stream, error) {
	if err := check(o.Rows, o.Size, o.Order); err != nil {
		return nil, err
	}
	s := &Stream{StreamOptions: o, blocks: (o.Rows + Block - 1) / Block}
	smallest := max(Window, 8*o.Size) // in rows
	s.windows = max(1, s.blocks/((smallest+Block-1)/Block))
	if o.Whole {
		s.windows = 1
	}
	return s, nil
}

// At returns the places of a step, counted from 0; none for a negative step. The error comes from Marks, or says
// that the examples of a window cannot be put into batches.
func (s *Stream) At(step int) ([]Place, error) {
	if step < 0 {
		return nil, nil
	}
	first := step * s.Size // place in the endless sequence of epochs
	if s.Order == File {
		batch := make([]Place, s.Size)
		for i := range batch {
			batch[i] = Place{Row: (first + i) % s.Rows, Epoch: (first + i) / s.Rows, At: -1}
		}
		return batch, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A batch that two windows share was put together by the later one.
	if err := s.moveTo(first + s.Size - 1); err != nil {
		return nil, err
	}
	return s.current.batch(step), nil
}

// Close waits for the work in the background.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait()
}

// wait returns the window that was made ahead, or nil if there is none or making it failed. Such a window is made
// again when it is needed.
func (s *Stream) wait() *window {
	if s.ahead == nil {
		return nil
	}
	next := <-s.ahead
	s.ahead = nil
	return next.window
}

// moveTo makes the window that holds a place the current one.
func (s *Stream) moveTo(place int) error {
	if s.current != nil && s.current.holds(place) {
		return nil
	}
	next := s.wait()
	if next == nil || !next.holds(place) {
		var err error
		if next, err = s.makeWindow(s.number(place)); err != nil {
			return err
		}
	}
	s.current = next
	s.ahead = make(chan made, 1)
	go func(ahead chan made, number int, left remainder) {
		w, err := s.read(number)
		if err == nil {
			w.arrangeAfter(left)
		}
		ahead <- made{w, err}
	}(s.ahead, next.number+1, next.rest)
	return nil
}

// makeWindow makes a window when the window before it is not in memory.
func (s *Stream) makeWindow(number int) (*window, error) {
	var left remainder
	if number > 0 {
		before, err := s.read(number - 1)
		if err != nil {
			return nil, err
		}
		left = before.rest
	}
	w := s.first
	if s.first = nil; w == nil || number > 0 {
		var err error
		if w, err = s.read(number); err != nil {
			return nil, err
		}
	}
	w.arrangeAfter(left)
	return w, nil
}

// number is the window that holds a place, counted over all epochs.
func (s *Stream) number(place int) int {
	epoch, within := place/s.Rows, place%s.Rows
	t := s.tour(epoch)
	j := sort.Search(s.windows, func(j int) bool { return s.begin(t, j+1) > within })
	return epoch*s.windows + j
}
