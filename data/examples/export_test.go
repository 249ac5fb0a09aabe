package examples

// Key is the key of a text or an id.
func Key(kind uint64, text string) uint64 { return hash(kind, text) }

// Distinct gives each of some couples once, in order, holding most of them; files says how many were needed.
func Distinct(dir string, most int, couples [][2]uint64) (once [][2]uint64, files int, err error) {
	d := &distinct{most: most, dir: dir}
	defer d.close()
	for i, c := range couples {
		if err := d.add(couple{query: c[0], document: c[1], place: int64(i)}); err != nil {
			return nil, 0, err
		}
	}
	err = d.each(func(c couple) error {
		if couples[c.place] != [2]uint64{c.query, c.document} {
			panic("a couple has lost its place")
		}
		once = append(once, [2]uint64{c.query, c.document})
		return nil
	})
	return once, len(d.runs), err
}
