//go:build !(amd64 && goexperiment.simd)

package search

func passOver(sums []float32, worst uint32) int { return passOverPlain(sums, worst) }
