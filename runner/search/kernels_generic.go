//go:build !(amd64 && goexperiment.simd)

package search

func compare(above []uint64, sums []float32, worst uint32) { comparePlain(above, sums, worst) }

func addDense(sums *[blockDocuments]float32, set []uint16, weights []float32, query float32) {
	addDensePlain(sums, set, weights, query)
}
