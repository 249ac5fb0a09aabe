//go:build !(amd64 && goexperiment.simd)

package search

func compare(above []uint64, sums []float32, worst uint32) { comparePlain(above, sums, worst) }
