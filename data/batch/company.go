package batch

// company is an unfinished batch, which knows which examples it can take.
type company interface {
	canJoin(example int) bool
	add(example int)
}

// gather makes a company with the given members.
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

// pairwise compares an example with every member.
type pairwise struct {
	conflict func(i, j int) bool
	members  []int
}

func (p *pairwise) add(example int) { p.members = append(p.members, example) }

func (p *pairwise) canJoin(example int) bool {
	for _, member := range p.members {
		if p.conflict(example, member) {
			return false
		}
	}
	return true
}

// crowd keeps its members' keys in sets. It gives the same answers as pairwise with Mark.Conflicts, in a time that
// does not grow with the batch.
type crowd struct {
	marks                        []Mark
	queries, relevant, documents map[uint64]struct{}
	// popular are members with so many relevant documents that their own lists are searched.
	popular []int
}

// many is the number of relevant documents that makes a member popular.
const many = 1024

func newCrowd(marks []Mark) *crowd {
	return &crowd{marks: marks, queries: map[uint64]struct{}{}, relevant: map[uint64]struct{}{}, documents: map[uint64]struct{}{}}
}

func (c *crowd) add(example int) {
	m := &c.marks[example]
	c.queries[m.Query] = struct{}{}
	if len(m.Relevant) > many {
		c.popular = append(c.popular, example)
	} else {
		for _, key := range m.Relevant {
			c.relevant[key] = struct{}{}
		}
	}
	c.documents[m.Positive] = struct{}{}
	for _, key := range m.Negatives {
		c.documents[key] = struct{}{}
	}
}

func (c *crowd) canJoin(example int) bool {
	m := &c.marks[example]
	if _, same := c.queries[m.Query]; same {
		return false
	}
	for _, member := range c.popular {
		if c.marks[member].wants(m) {
			return false
		}
	}
	if has(c.relevant, m.Positive) || hasAny(c.relevant, m.Negatives) {
		return false
	}
	if len(m.Relevant) <= many {
		return !hasAny(c.documents, m.Relevant)
	}
	for document := range c.documents {
		if contains(m.Relevant, document) {
			return false
		}
	}
	return true
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
