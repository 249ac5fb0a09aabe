//go:build !(amd64 && goexperiment.simd)

package fused

// Vector says whether this build and CPU use vector instructions.
func Vector() bool { return false }

func (p panel) max4(rows []float32, dim int, best *[4]float32, at *[4]int32, _ bool) {
	for r := range 4 {
		p.max1(rows[r*dim:(r+1)*dim], &best[r], &at[r])
	}
}

func axpy(a float32, x, y []float32) { axpyPlain(a, x, y) }
