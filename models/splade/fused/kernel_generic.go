//go:build !(amd64 && goexperiment.simd)

package fused

// Vector says whether this build and CPU use vector instructions.
func Vector() bool { return false }

func (p panel) max4(rows []float32, best *[4]float32, at *[4]int32) { p.max4Plain(rows, best, at) }

// pair is two neighbouring int16 elements of a row.
type pair = int32

func newPair(lo, hi int16) pair { return int32(hi)<<16 | int32(uint16(lo)) }

func elements(p pair) (lo, hi int16) { return int16(p), int16(p >> 16) }

func (p wholePanel) max4(rows []pair, best *[4][16]int32) { p.max4Plain(rows, best) }

func axpy(a float32, x, y []float32) { axpyPlain(a, x, y) }
