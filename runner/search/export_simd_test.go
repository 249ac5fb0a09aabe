//go:build amd64 && goexperiment.simd

package search

// EachLevel calls fn for every kernel that this CPU can run.
func EachLevel(fn func()) {
	defer func(old int) { level = old }(level)
	for _, l := range []int{512, 256, 0} {
		if l <= level {
			level = l
			fn()
		}
	}
}
