//go:build !(amd64 && goexperiment.simd)

package fused

func (p panel) max4(rows []float32, best *[4]float32, at *[4]int32) { p.max4Plain(rows, best, at) }

func wide() bool { return false }

// max32 is never called, since no tile is wide.
func (p panel) max32([]float32, *[wideRows]float32, *[wideRows]int32) {}

func fastestForm() form { return pairs }

// word is 32 bits of whole numbers.
type word = uint32

func newWord(w uint32) word { return w }

func bits(w word) uint32 { return w }

func (p wholePanel) raise(rows []word, lanes *wholeLanes) { p.raisePlain(rows, lanes) }

func (l *wholeLanes) tops(n int, tops *[rowBlock]int32) { l.topsPlain(n, tops) }

func axpy(a float32, x, y []float32) { axpyPlain(a, x, y) }
