//go:build !(amd64 && goexperiment.simd)

package fused

// Levels are the kernels of this build: plain Go.
func Levels() []int { return []int{0} }

// SetLevel has nothing to choose from in this build.
func SetLevel(int) (restore func()) { return func() {} }
