package batch

import "fmt"

// CrowdedError is returned when too few examples can stand together to fill a batch.
type CrowdedError struct {
	// Size is that of a batch. Found examples were found to stand together, of the Rows that are arranged at a time.
	Size, Found, Rows int
	// One and Other are examples that may not stand together, where Apart says that they are known.
	One, Other Place
	Apart      bool
}

func (e *CrowdedError) Error() string {
	return fmt.Sprintf("make batches: batch %d: only %d of %d examples were found to stand together without one being a false negative of another: a smaller batch is needed", e.Size, e.Found, e.Rows)
}

// gathering collects examples that may stand together, in the order in which they are offered.
type gathering struct {
	crowd
	members []int
	// one was refused because of other: the first such two.
	one, other int
}

func newGathering() *gathering { return &gathering{crowd: *newCrowd(nil), one: -1} }

// offer adds the marks of further examples and takes those that fit, until there are most.
func (g *gathering) offer(marks []Mark, most int) {
	from := len(g.marks)
	g.marks = append(g.marks, marks...)
	for i := from; i < len(g.marks) && len(g.members) < most; i++ {
		if g.fits(i) {
			g.add(i)
			g.members = append(g.members, i)
			continue
		}
		if g.one < 0 {
			g.refuse(i)
		}
	}
}

// refuse notes whom an example does not fit.
func (g *gathering) refuse(example int) {
	for _, member := range g.members {
		if g.marks[member].Conflicts(&g.marks[example]) {
			g.one, g.other = member, example
			return
		}
	}
}

// Together counts the examples that are found to stand together, which is the largest batch that can be made of
// them, and gives the first two that may not; −1 twice where there are none.
func Together(marks []Mark) (n, one, other int) {
	g := newGathering()
	g.offer(marks, len(marks))
	if g.one < 0 {
		return len(g.members), -1, -1
	}
	return len(g.best(len(marks))), g.one, g.other
}

// best looks from other starts on as well, once all marks are there.
func (g *gathering) best(size int) []int {
	return together(len(g.marks), size, func() company { return newCrowd(g.marks) })
}

// Check says what would keep a stream from putting the batches of its first steps together: a *CrowdedError, or an
// error of Marks. It looks at the windows of the first epoch that these steps reach, and mostly reads of each only
// as many rows as fill a batch. The marks of a row must be the same whichever rows they are asked for with.
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
