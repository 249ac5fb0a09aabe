package fused

import "fmt"

// Backward adds the gradients of Σ grad·Max(texts) to dHidden, dWeight and dBias. grad
// is [len(texts), vocab], the derivative by each pooled logit; entries of exactly zero
// cost nothing. Max has written arg. dHidden[i] has the shape of texts[i].Hidden,
// dWeight is [vocab, dim], dBias [vocab]. Sums run over texts and terms in ascending
// order, whatever the number of threads.
func (h Head) Backward(texts []Text, arg []int32, grad []float32, dHidden [][]float32, dWeight, dBias []float32, threads int) error {
	if err := h.check(texts, len(grad)); err != nil {
		return err
	}
	if len(arg) != len(grad) || len(dHidden) != len(texts) || len(dWeight) != len(h.Weight) || len(dBias) != h.Vocab {
		return fmt.Errorf("differentiate head: sizes disagree: arg %d, grad %d, texts %d and %d, weight %d, bias %d",
			len(arg), len(grad), len(texts), len(dHidden), len(dWeight), len(dBias))
	}
	for i := range texts {
		if len(dHidden[i]) != len(texts[i].Hidden) {
			return fmt.Errorf("differentiate head: gradient of text %d has %d elements, want %d", i, len(dHidden[i]), len(texts[i].Hidden))
		}
	}
	dim := h.Dim
	parallel(len(texts), threads, func(from, to int) {
		h.eachRange(0, h.Vocab, func(first, end int) {
			for i := from; i < to; i++ {
				for v := first; v < end; v++ {
					if g := grad[i*h.Vocab+v]; g != 0 {
						t := int(arg[i*h.Vocab+v])
						axpy(g, h.Weight[v*dim:(v+1)*dim], dHidden[i][t*dim:(t+1)*dim])
					}
				}
			}
		})
	})
	parallel(h.Vocab, threads, func(from, to int) {
		h.eachRange(from, to, func(first, end int) {
			for i := range texts {
				for v := first; v < end; v++ {
					if g := grad[i*h.Vocab+v]; g != 0 {
						t := int(arg[i*h.Vocab+v])
						axpy(g, texts[i].Hidden[t*dim:(t+1)*dim], dWeight[v*dim:(v+1)*dim])
						dBias[v] += g
					}
				}
			}
		})
	})
	return nil
}

// rangeBytes of rows stay in a core's cache while every text passes by.
const rangeBytes = 256 << 10

// eachRange calls do with consecutive ranges of rows, in order.
func (h Head) eachRange(from, to int, do func(first, end int)) {
	rows := max(1, rangeBytes/4/h.Dim)
	for first := from; first < to; first += rows {
		do(first, min(to, first+rows))
	}
}
