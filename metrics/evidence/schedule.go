package evidence

// The number of looks at the probe set. The first ten, which show the course of a short run, cost up to shortShare of
// what training costs; a run too short for ten makes fewer, but always the first and the last. More than ten cost at
// most usualShare, and there are at most a hundred.
const (
	fewest     = 10
	most       = 100
	usualShare = 0.01
	shortShare = 0.1
	// A probe set that a run chooses by itself has from smallest to Largest queries.
	smallest = 8
	// Largest is the number of queries of a probe set if training is long enough.
	Largest = 64
	// A training step runs forward and backward; a look runs forward and computes figures.
	// On the demo a step costs as much as a look at 1.5 times as many texts.
	passes = 1.5
)

// Queries returns the number of queries, each with one document, of a run's probe set: Largest, or so many that ten
// looks cost shortShare of training, but at least smallest. The arguments are the run's steps and the texts per step.
func Queries(steps, texts int) int {
	paid := shortShare * passes * float64(steps) * float64(texts) / (2 * fewest)
	return int(max(smallest, min(Largest, paid)))
}

// Steps returns the steps before which a run looks at its probe set: the first, the last, and
// others between them, densely early and sparsely later. The arguments are the run's steps,
// the texts per step and the texts of the probe set. The result depends on these numbers
// alone, so a resumed run looks at the same steps.
func Steps(steps, texts, probe int) []int {
	if steps < 1 || probe < 1 {
		return nil
	}
	paid := func(share float64) int { return int(share * passes * float64(steps) * float64(texts) / float64(probe)) }
	n := min(steps, max(2, min(fewest, paid(shortShare)), min(most, paid(usualShare))))
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
