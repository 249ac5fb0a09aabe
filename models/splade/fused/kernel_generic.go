//go:build !(amd64 && goexperiment.simd)

package fused

// Vector says whether this build and CPU use vector instructions.
func Vector() bool { return false }

func (p panel) max4(rows []float32, best *[4]float32, at *[4]int32) { p.max4Plain(rows, best, at) }

func (p wholePanel) max4(rows []int32, best *[4][16]int32) { p.max4Plain(rows, best) }

func axpy(a float32, x, y []float32) { axpyPlain(a, x, y) }
