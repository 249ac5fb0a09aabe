package evidence

// Probes per run: at least fewest, so that a short run shows its course, and at most
// most. Between them forward passes cost up to share of what training does.
const (
	fewest = 10
	most   = 100
	share  = 0.01
	// A training step goes forward and back through its texts, and a look describes what it
	// sees: a step of the demo's shape costs as much as a look at 1.5 times its texts.
	passes = 1.5
)

// Steps are those before which a run of steps steps looks at its probe set of probe texts:
// the first, the last, and others between them, densely early and sparsely later. texts is how
// many a step trains on. They depend on these numbers alone, so a run that is resumed goes
// on with them.
func Steps(steps, texts, probe int) []int {
	if steps < 1 || probe < 1 {
		return nil
	}
	n := min(steps, max(fewest, min(most, int(share*passes*float64(steps)*float64(texts)/float64(probe)))))
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
