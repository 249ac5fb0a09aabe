package fused

import "math"

// Products of whole numbers: the int16 pairs that screening multiplies.

// wholePanel holds up to 32 tokens of whole numbers, transposed by pairs of
// dimensions: one load fetches the same pair of 16 tokens.
type wholePanel struct {
	data  []int16 // [ceil(dim/2), width, 2]
	width int     // 16 or 32
}

// set writes a token, padded to pairs, into a column.
func (p wholePanel) set(column int, q []int16) {
	for d := 0; 2*d < len(q); d++ {
		at := (d*p.width + column) * 2
		p.data[at], p.data[at+1] = q[2*d], q[2*d+1]
	}
}

// wholeNorm bounds the Euclidean norm of a quantized vector: 46340² < 2³¹, so
// that by Cauchy and Schwarz no sum over any part of a product of two overflows
// an int32.
const wholeNorm = 46340

// wholeScale is the step that brings vectors with the given largest norm and
// largest element within wholeNorm and an int16, rounding included.
func wholeScale(norm, largest float64, dim int) float64 {
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
	return upward(kept), upward(left)
}

// upward is the square root of a sum of up to mostDims squares, rounded up by
// more than float64 can have lost.
func upward(squares float64) float64 { return math.Sqrt(squares) * (1 + 1e-9) }

// extent is the norm of x, or a little more, and its largest element; infinite
// or NaN where an element is.
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
	return upward(even + odd), float64(math.Float32frombits(top))
}

// max4Plain raises best, whose 16 lanes take the panel's columns in turn, by
// the products with a group of four rows. rows is [ceil(dim/2), 4].
func (p wholePanel) max4Plain(rows []pair, best *[4][16]int32) {
	for r := range 4 {
		var acc [panelWidth]int32
		for d := 0; 4*d < len(rows); d++ {
			lo, hi := elements(rows[4*d+r])
			line := p.data[d*2*p.width : (d+1)*2*p.width]
			for c := range p.width {
				acc[c] += int32(lo)*int32(line[2*c]) + int32(hi)*int32(line[2*c+1])
			}
		}
		for c, z := range acc[:p.width] {
			best[r][c%16] = max(best[r][c%16], z)
		}
	}
}
