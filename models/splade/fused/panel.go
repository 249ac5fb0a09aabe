package fused

// panelWidth tokens are pooled together; a shorter rest takes half of it.
const panelWidth = 32

// panel holds up to 32 tokens transposed, so that one load fetches the same
// dimension of 16 tokens.
type panel struct {
	data  []float32 // [dim, width]
	width int       // 16 or 32
	first int       // the text's token in column 0
	count int       // columns that are tokens; the others repeat column 0
}

// pack transposes a text into panels. Unused columns repeat the panel's first
// token: they cannot win a maximum that column 0 has not already reached.
func pack(t Text, dim int) []panel {
	panels := make([]panel, 0, (t.Tokens+panelWidth-1)/panelWidth)
	for first := 0; first < t.Tokens; first += panelWidth {
		count := min(panelWidth, t.Tokens-first)
		width := panelWidth
		if count <= panelWidth/2 {
			width = panelWidth / 2
		}
		data := make([]float32, dim*width)
		for c := range width {
			token := first
			if c < count {
				token = first + c
			}
			for d, x := range t.Hidden[token*dim : (token+1)*dim] {
				data[d*width+c] = x
			}
		}
		panels = append(panels, panel{data: data, width: width, first: first, count: count})
	}
	return panels
}

// max1 is the plain form of one row: what the vector kernels are tested against,
// and what rows left over from groups of four use.
func (p panel) max1(row []float32, best *float32, at *int32) {
	var acc [panelWidth]float32
	for d, w := range row {
		for c, x := range p.data[d*p.width : (d+1)*p.width] {
			acc[c] = fma(x, w, acc[c])
		}
	}
	take(acc[:p.count], p.first, best, at)
}

// take merges a panel's sums into the running maximum; NaN, once seen, stays.
func take(sums []float32, first int, best *float32, at *int32) {
	for c, z := range sums {
		if z > *best || z != z {
			*best, *at = z, int32(first+c)
		}
		if z != z {
			return
		}
	}
}
