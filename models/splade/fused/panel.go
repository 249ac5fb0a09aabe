package fused

// panelWidth is the number of tokens that are pooled together. A rest of at most half as
// many takes a panel of half the width.
const panelWidth = 32

// A CPU with registers of 512 bits takes tiles of wideRows rows and wideTokens tokens: sums of one token with many rows
// lie side by side, so that a maximum over tokens needs nothing from its neighbours. Other CPUs take 4 rows and a panel.
const (
	wideRows   = 32
	wideTokens = 8
)

// panel holds up to 32 tokens transposed, so that one load fetches the same
// dimension of several tokens.
type panel struct {
	data  []float32 // [dim, width]
	width int       // 8 in wide tiles, else 16 or 32
	first int       // the text's token in column 0
	count int       // columns that are tokens; the others repeat column 0
}

// shape is the part of a panel that depends on the number of tokens alone.
func shape(first, tokens int) (width, count int) {
	count = min(panelWidth, tokens-first)
	if count <= panelWidth/2 {
		return panelWidth / 2, count
	}
	return panelWidth, count
}

// pack transposes a text into panels. Unused columns repeat the panel's first
// token: they cannot win a maximum that column 0 has not already reached.
func pack(t Text, dim int) []panel {
	var panels []panel
	for first, width := 0, 0; first < t.Tokens; first += width {
		var count int
		if width, count = shape(first, t.Tokens); wide() {
			width, count = wideTokens, min(wideTokens, t.Tokens-first)
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

// block is up to rowBlock vocabulary rows in groups, interleaved so that a kernel walks one slice. A row's products do
// not depend on the other rows.
type block struct {
	data  []float32 // [groups, dim, group]
	group int       // rows per group
	n     int
	dim   int
	best  [rowBlock]float32
	at    [rowBlock]int32
}

func newBlock(dim int) *block {
	b := &block{data: make([]float32, rowBlock*dim), group: 4, dim: dim}
	if wide() {
		b.group = wideRows
	}
	return b
}

// fillDims is how many dimensions of a row are copied before the next row's: what they are written to stays in the first cache.
const fillDims = 16

// fill copies the rows of weight [vocab, dim] with the given numbers, at most rowBlock.
// A last group that is not full repeats its last row.
func (b *block) fill(weight []float32, rows []int32) {
	b.n = len(rows)
	for g := 0; g < b.n; g += b.group {
		group := b.data[g*b.dim : (g+b.group)*b.dim]
		for from := 0; from < b.dim; from += fillDims {
			to := min(from+fillDims, b.dim)
			for r := range b.group {
				v := int(rows[min(g+r, b.n-1)]) * b.dim
				at := from*b.group + r
				for _, w := range weight[v+from : v+to] {
					group[at] = w
					at += b.group
				}
			}
		}
	}
}

// pool writes the maximum over a text's tokens to best, and the token that has it to at.
func (b *block) pool(panels []panel) {
	for r := range b.best {
		b.best[r], b.at[r] = negativeInfinity, 0
	}
	if b.group == wideRows { // a group of rows stays in the first cache; else a panel does
		for g := 0; g < b.n; g += wideRows {
			for _, p := range panels {
				p.max32(b.data[g*b.dim:(g+wideRows)*b.dim], (*[wideRows]float32)(b.best[g:g+wideRows]), (*[wideRows]int32)(b.at[g:g+wideRows]))
			}
		}
		return
	}
	for _, p := range panels {
		for g := 0; g < b.n; g += 4 {
			p.max4(b.data[g*b.dim:(g+4)*b.dim], (*[4]float32)(b.best[g:g+4]), (*[4]int32)(b.at[g:g+4]))
		}
	}
}

// max4Plain is max4 without vector instructions; tests compare the vector kernels with it.
func (p panel) max4Plain(rows []float32, best *[4]float32, at *[4]int32) {
	for r := range 4 {
		var acc [panelWidth]float32
		for d := 0; 4*d < len(rows); d++ {
			w := rows[4*d+r]
			for c, x := range p.data[d*p.width : (d+1)*p.width] {
				acc[c] = fma(x, w, acc[c])
			}
		}
		mergeSums(acc[:p.count], p.first, &best[r], &at[r])
	}
}

// mergeSums updates the running maximum with a panel's sums; NaN, once seen, stays.
func mergeSums(sums []float32, first int, best *float32, at *int32) {
	if *best != *best {
		return
	}
	for c, z := range sums {
		if z > *best || z != z {
			*best, *at = z, int32(first+c)
		}
		if z != z {
			return
		}
	}
}
