//go:build !(amd64 && goexperiment.simd)

package search

// EachLevel calls fn: this build has one kernel.
func EachLevel(fn func()) { fn() }
