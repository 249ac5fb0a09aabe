//go:build amd64 && goexperiment.simd

package fused

// Levels are the kernels this CPU can run, plain Go first.
func Levels() []int {
	all := []int{0}
	for _, l := range []int{256, 512, levelBytes} {
		if l <= level {
			all = append(all, l)
		}
	}
	return all
}

// SetLevel forces a kernel until the returned function is called.
func SetLevel(l int) (restore func()) {
	old := level
	level = l
	return func() { level = old }
}
