package evidence

// Looks per run: at least ten, so that a short run shows its course, if they cost no more than tenth of what training
// does; in a run too short even for that as many as cost so much, but the first and the last. At most a hundred,
// and from ten on no more than cost share of what training does.
const (
	fewest = 10
	most   = 100
	share  = 0.01
	tenth  = 0.1
	// A probe set that a run chooses by itself has from smallest to Largest queries.
	smallest = 8
	// Largest is the size of a probe set, in queries, if training is long enough to pay for it.
	Largest = 64
	// A training step goes forward and back through its texts, and a look describes what it
	// sees: a step of the demo's shape costs as much as a look at 1.5 times its texts.
	passes = 1.5
)

// Queries is how many queries, each with one document, a probe set should have in a run of steps steps, each of which
// trains on texts texts: Largest, or so many that ten looks at them cost a tenth of training, but at least smallest.
func Queries(steps, texts int) int {
	paid := tenth * passes * float64(steps) * float64(texts) / (2 * fewest)
	return int(max(smallest, min(Largest, paid)))
}

// Steps are those before which a run of steps steps looks at its probe set of probe texts:
// the first, the last, and others between them, densely early and sparsely later. texts is how
// many a step trains on. They depend on these numbers alone, so a run that is resumed goes
// on with them.
func Steps(steps, texts, probe int) []int {
	if steps < 1 || probe < 1 {
		return nil
	}
	paid := func(share float64) int { return int(share * passes * float64(steps) * float64(texts) / float64(probe)) }
	n := min(steps, max(2, min(fewest, paid(tenth)), min(most, paid(share))))
	var list []int
	for i := range n {
		x := 0.0
		if n > 1 {
			x = float64(i) / float64(n-1)
		}
		at := int(x*x*float64(steps-1) + .5)
		if len(list) > 0 && at <= list[len(list)-1] {
			at = list[len(list)-1] + 1
		}
		list = append(list, at)
	}
	return list
}
