package fused

import "math"

// Products of whole numbers, which screening uses: their operands, and the layout in memory.

// form is how many whole numbers a word of 32 bits holds.
type form int

const (
	// pairs of int16 are multiplied by any vector unit.
	pairs form = 2
	// quads of bytes keep less of a number, but a CPU that has products of bytes
	// multiplies them twice as fast as pairs. One factor must have no sign, so tokens
	// are stored with byteShift added.
	quads form = 4
)

const byteShift = 128

// words is the number of words that hold dim numbers.
func (f form) words(dim int) int { return (dim + int(f) - 1) / int(f) }

// pack writes numbers, with a shift added and padded to words, to every stride-th
// word of out.
func (f form) pack(q []int16, shift int16, out []word, stride int) {
	for d := 0; d < len(q); d += int(f) {
		var w uint32
		if f == quads {
			w = uint32(uint8(q[d]+shift)) | uint32(uint8(q[d+1]+shift))<<8 | uint32(uint8(q[d+2]+shift))<<16 | uint32(uint8(q[d+3]+shift))<<24
		} else {
			w = uint32(uint16(q[d]+shift)) | uint32(uint16(q[d+1]+shift))<<16
		}
		out[d/int(f)*stride] = newWord(w)
	}
}

// shift is the part of a product with a row that comes from byteShift, 0 if tokens are
// stored without it.
func (f form) shift(row []int16) int32 {
	if f != quads {
		return 0
	}
	sum := int32(0)
	for _, r := range row {
		sum += int32(r)
	}
	return byteShift * sum
}

// wholePanel holds up to 32 tokens of whole numbers, transposed by words: one
// load fetches the same word of 16 tokens.
type wholePanel struct {
	form  form
	data  []word // [words, width]
	width int    // 16 or 32
}

// wholeNorm bounds the Euclidean norm of a vector of int16: 46340² < 2³¹, so
// that by Cauchy and Schwarz no sum over any part of a product of two overflows
// an int32. Bytes need no such bound: 255·127·mostDims < 2³¹.
const wholeNorm = 46340

// scale is the step that brings vectors with the given largest norm and largest
// element within the form's range, rounding included.
func (f form) scale(norm, largest float64, dim int) float64 {
	if f == quads {
		return largest / math.MaxInt8
	}
	return max(norm/(wholeNorm-1-math.Sqrt(float64(dim))/2), largest/math.MaxInt16)
}

// quantize writes x as whole multiples of scale and returns upper bounds on the
// norm of those multiples and of what they leave of x. The bounds are taken from
// the numbers themselves, so they hold however x was rounded.
func quantize(x []float32, scale float64, out []int16) (kept, left float64) {
	inverse := 0.0
	if scale > 0 {
		inverse = 1 / scale
	}
	const magic = 3 << 51 // adding it leaves no room for a fraction
	out = out[:len(x)]
	for d, v := range x {
		z := float64(v)
		q := z*inverse + magic - magic
		out[d] = int16(q)
		q *= scale
		kept += q * q
		left += (z - q) * (z - q)
	}
	return sqrtUpward(kept), sqrtUpward(left)
}

// sqrtUpward is the square root of a sum of up to mostDims squares, rounded up by more
// than float64 can have lost.
func sqrtUpward(squares float64) float64 { return math.Sqrt(squares) * (1 + 1e-9) }

// extent is the norm of x, or a little more, and its largest element; infinite
// or NaN if an element is.
func extent(x []float32) (norm, largest float64) {
	var even, odd float64
	var top uint32 // bits without their sign sort as the numbers do
	for len(x) >= 2 {
		a, b := float64(x[0]), float64(x[1])
		even += a * a
		odd += b * b
		top = max(top, math.Float32bits(x[0])&math.MaxInt32, math.Float32bits(x[1])&math.MaxInt32)
		x = x[2:]
	}
	for _, v := range x {
		even += float64(v) * float64(v)
		top = max(top, math.Float32bits(v)&math.MaxInt32)
	}
	return sqrtUpward(even + odd), float64(math.Float32frombits(top))
}

// raisePlain raises the running maxima in lanes to the panel's products with groups of
// four rows, [groups, words, 4]. Column c of the panel goes to lane c mod 16 of a row.
func (p wholePanel) raisePlain(rows []word, lanes *wholeLanes) {
	words := len(p.data) / p.width
	for g := 0; g*words*4 < len(rows); g++ {
		for r := range 4 {
			var acc [panelWidth]int32
			for d := range words {
				row := bits(rows[(g*words+d)*4+r])
				for c, token := range p.data[d*p.width : (d+1)*p.width] {
					acc[c] += p.form.product(bits(token), row)
				}
			}
			best := &lanes[4*g+r]
			for c, z := range acc[:p.width] {
				best[c%16] = max(best[c%16], z)
			}
		}
	}
}

// product is that of a word of tokens and one of a row.
func (f form) product(token, row uint32) int32 {
	if f == pairs {
		return int32(int16(token))*int32(int16(row)) + int32(int16(token>>16))*int32(int16(row>>16))
	}
	sum := int32(0)
	for shift := 0; shift < 32; shift += 8 {
		sum += int32(uint8(token>>shift)) * int32(int8(row>>shift))
	}
	return sum
}

// wholeLanes are running maxima of a block's rows.
type wholeLanes [rowBlock][16]int32

// topsPlain writes the maximum over the lanes of each of the first n rows to tops.
func (l *wholeLanes) topsPlain(n int, tops *[rowBlock]int32) {
	for r, lane := range l[:n] {
		top := lane[0]
		for _, z := range lane[1:] {
			top = max(top, z)
		}
		tops[r] = top
	}
}
