package batch

// rivals finds the members of batches with which an example conflicts.
type rivals interface {
	// choose sets the example that countIn examines, and returns the number of members that this looks at.
	choose(example int) int
	// countIn counts the members of a batch that conflict with the example, up to 2, and returns the place of one.
	countIn(batch int) (n, at int)
	// enters and leaves record that a member takes a place, and leaves it.
	enters(member, batch, at int)
	leaves(member, batch, at int)
}

func (e *stretch) rivals() rivals {
	if e.marks == nil {
		return &allPairs{stretch: e}
	}
	return newIndex(e)
}

// allPairs compares the example with every member.
type allPairs struct {
	stretch *stretch
	example int
}

func (p *allPairs) choose(example int) int {
	p.example = example
	return p.stretch.size * len(p.stretch.batches)
}

func (p *allPairs) countIn(batch int) (n, place int) {
	for at, member := range p.stretch.batches[batch] {
		if p.stretch.conflict(p.example, member) {
			if n, place = n+1, at; n == 2 {
				break
			}
		}
	}
	return n, place
}

func (p *allPairs) enters(int, int, int) {}
func (p *allPairs) leaves(int, int, int) {}

// index finds rivals by the keys of marks. It gives the same answers as allPairs, in a time that grows with the
// number of rivals and not with that of all members.
type index struct {
	marks              []Mark
	queries, documents map[uint64][]int32 // examples by key
	relevant           map[uint64][]int32 // indexes into asking, by the key of a relevant document
	asking             [][]int32          // examples with the same list of relevant documents, the rows of a query
	spots              [][]spot           // places of each example, in most cases one

	// counted[b] and at[b] belong to the chosen example if turn[b] equals now.
	now         int
	counted, at []int
	turn        []int
	seen        []int // of each example, the turn in which it was counted
}

type spot struct{ batch, at int }

func newIndex(e *stretch) *index {
	x := &index{
		marks: e.marks, queries: map[uint64][]int32{}, relevant: map[uint64][]int32{}, documents: map[uint64][]int32{},
		spots: make([][]spot, len(e.marks)), seen: make([]int, len(e.marks)),
		counted: make([]int, len(e.batches)), at: make([]int, len(e.batches)), turn: make([]int, len(e.batches)),
	}
	for b, batch := range e.batches {
		for at, member := range batch {
			x.enters(member, b, at)
		}
	}
	lists := map[list]int32{} // asking
	for i := range e.marks {
		m, example := &e.marks[i], int32(i)
		x.queries[m.Query] = append(x.queries[m.Query], example)
		x.documents[m.Positive] = append(x.documents[m.Positive], example)
		for _, key := range m.Negatives {
			x.documents[key] = append(x.documents[key], example)
		}
		if len(m.Relevant) == 0 {
			continue
		}
		shared := list{&m.Relevant[0], len(m.Relevant)}
		at, known := lists[shared]
		if !known {
			at = int32(len(x.asking))
			lists[shared], x.asking = at, append(x.asking, nil)
			for _, key := range m.Relevant {
				x.relevant[key] = append(x.relevant[key], at)
			}
		}
		x.asking[at] = append(x.asking[at], example)
	}
	return x
}

// list is a slice that marks may share.
type list struct {
	first *uint64
	n     int
}

func (x *index) enters(member, batch, at int) {
	x.spots[member] = append(x.spots[member], spot{batch, at})
}

func (x *index) leaves(member, batch, at int) {
	for i, s := range x.spots[member] {
		if s == (spot{batch, at}) {
			x.spots[member] = append(x.spots[member][:i], x.spots[member][i+1:]...)
			return
		}
	}
}

func (x *index) choose(example int) int {
	x.now++
	m := &x.marks[example]
	looked := x.count(x.queries[m.Query]) + x.countAsking(m.Positive) + len(m.Relevant)
	for _, key := range m.Negatives {
		looked += x.countAsking(key)
	}
	for _, key := range m.Relevant {
		looked += x.count(x.documents[key])
	}
	return looked
}

func (x *index) countAsking(document uint64) (looked int) {
	for _, at := range x.relevant[document] {
		looked += x.count(x.asking[at])
	}
	return looked
}

func (x *index) count(examples []int32) (looked int) {
	for _, example := range examples {
		looked += 1 + len(x.spots[example])
		if x.seen[example] == x.now {
			continue
		}
		x.seen[example] = x.now
		for _, s := range x.spots[example] {
			if x.turn[s.batch] != x.now {
				x.turn[s.batch], x.counted[s.batch] = x.now, 0
			}
			x.counted[s.batch]++
			x.at[s.batch] = s.at
		}
	}
	return looked
}

func (x *index) countIn(batch int) (n, at int) {
	if x.turn[batch] != x.now {
		return 0, 0
	}
	return min(2, x.counted[batch]), x.at[batch]
}
