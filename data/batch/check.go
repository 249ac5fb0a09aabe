package batch

import "fmt"

// CrowdedError is returned when too few examples can share a batch to fill one.
type CrowdedError struct {
	// Size is the size of a batch. Of the Rows that are arranged at a time, Found were found without a conflict.
	Size, Found, Rows int
	// One and Other are two examples that conflict, if Apart says that such two are known.
	One, Other Place
	Apart      bool
}

func (e *CrowdedError) Error() string {
	return fmt.Sprintf("make batches: batch %d: only %d of %d examples were found that can share a batch, none a false negative of another: use a smaller batch", e.Size, e.Found, e.Rows)
}

// gathering collects examples that do not conflict, in the order in which they are offered.
type gathering struct {
	crowd
	members []int
	// one is the first example that was refused, other the example with which it conflicts.
	one, other int
}

func newGathering() *gathering { return &gathering{crowd: *newCrowd(nil), one: -1} }

// offer adds the marks of further examples and takes those that fit, until there are most of them.
func (g *gathering) offer(marks []Mark, most int) {
	from := len(g.marks)
	g.marks = append(g.marks, marks...)
	for i := from; i < len(g.marks) && len(g.members) < most; i++ {
		if g.canJoin(i) {
			g.add(i)
			g.members = append(g.members, i)
			continue
		}
		if g.one < 0 {
			g.refuse(i)
		}
	}
}

// refuse notes with which example another one conflicts.
func (g *gathering) refuse(example int) {
	for _, member := range g.members {
		if g.marks[member].Conflicts(&g.marks[example]) {
			g.one, g.other = member, example
			return
		}
	}
}

// LargestBatch returns the largest number of examples that it finds without a conflict, and the first two that
// conflict, or −1 twice if there are none.
func LargestBatch(marks []Mark) (n, one, other int) {
	g := newGathering()
	g.offer(marks, len(marks))
	if g.one < 0 {
		return len(g.members), -1, -1
	}
	return len(g.best(len(marks))), g.one, g.other
}

// best searches from other starts too, once all marks are there.
func (g *gathering) best(size int) []int {
	return together(len(g.marks), size, func() company { return newCrowd(g.marks) })
}

// Check returns the error with which a stream would fail in its first steps: a *CrowdedError, or an error of Marks.
// It looks at the windows of the first epoch that these steps reach, and in most cases reads only as many rows of
// each as fill a batch. Marks must return the same mark for a row, whichever other rows it is asked for.
func Check(o StreamOptions, steps int) error {
	s, err := newStream(o)
	if err != nil || o.Order == File || steps < 1 {
		return err
	}
	last := s.number(min(steps, (o.Rows+o.Size-1)/o.Size)*o.Size - 1)
	for number := range min(last+1, s.windows) {
		if err := s.check(number); err != nil {
			return err
		}
	}
	return nil
}

// check fills one batch from a window of the first epoch.
func (s *Stream) check(number int) error {
	g := newGathering()
	var rows []int // of the marks
	for _, r := range s.ranges(s.tour(0), number) {
		marks, err := s.Marks([]Range{r}, 0)
		if err != nil {
			return err
		}
		if len(marks) != r.To-r.From {
			return fmt.Errorf("make batches: %d marks of %d examples", len(marks), r.To-r.From)
		}
		for row := r.From; row < r.To; row++ {
			rows = append(rows, row)
		}
		if g.offer(marks, s.Size); len(g.members) == s.Size {
			return nil
		}
	}
	found := len(g.best(s.Size))
	if found == s.Size {
		return nil
	}
	e := &CrowdedError{Size: s.Size, Found: found, Rows: len(rows)}
	if g.one >= 0 {
		place := func(i int) Place { return Place{Row: rows[i], At: g.marks[i].At} }
		e.One, e.Other, e.Apart = place(g.one), place(g.other), true
	}
	return e
}
