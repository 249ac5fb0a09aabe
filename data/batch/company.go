package batch

// company is a batch in the making, which knows whom it can take.
type company interface {
	fits(example int) bool
	add(example int)
}

// gather makes the company of some examples.
func (e *stretch) gather(members []int) company {
	var c company
	if e.company != nil {
		c = e.company()
	} else {
		c = &pairwise{conflict: e.conflict}
	}
	for _, member := range members {
		c.add(member)
	}
	return c
}

// pairwise asks every pair.
type pairwise struct {
	conflict func(i, j int) bool
	members  []int
}

func (p *pairwise) add(example int) { p.members = append(p.members, example) }

func (p *pairwise) fits(example int) bool {
	for _, member := range p.members {
		if p.conflict(example, member) {
			return false
		}
	}
	return true
}

// crowd keeps its members' keys in sets: it says of an example what pairwise says by Mark.Conflicts, in a time
// that does not grow with the batch.
type crowd struct {
	marks                        []Mark
	queries, relevant, documents map[uint64]struct{}
}

func newCrowd(marks []Mark) *crowd {
	return &crowd{marks, map[uint64]struct{}{}, map[uint64]struct{}{}, map[uint64]struct{}{}}
}

func (c *crowd) add(example int) {
	m := &c.marks[example]
	c.queries[m.Query] = struct{}{}
	for _, key := range m.Relevant {
		c.relevant[key] = struct{}{}
	}
	c.documents[m.Positive] = struct{}{}
	for _, key := range m.Negatives {
		c.documents[key] = struct{}{}
	}
}

func (c *crowd) fits(example int) bool {
	m := &c.marks[example]
	if _, same := c.queries[m.Query]; same {
		return false
	}
	return !has(c.relevant, m.Positive) && !hasAny(c.relevant, m.Negatives) && !hasAny(c.documents, m.Relevant)
}

func has(set map[uint64]struct{}, key uint64) bool {
	_, found := set[key]
	return found
}

func hasAny(set map[uint64]struct{}, keys []uint64) bool {
	for _, key := range keys {
		if has(set, key) {
			return true
		}
	}
	return false
}
