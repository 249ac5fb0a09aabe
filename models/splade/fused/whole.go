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
// norm of those multiples, of what they leave of x, and of x. The bounds are
// taken from the numbers themselves, so they hold however x was rounded.
func quantize(x []float32, scale float64, out []int16) (kept, left, whole float64) {
	inverse := 0.0
	if scale > 0 {
		inverse = 1 / scale
	}
	const magic = 3 << 51 // adding it leaves no room for a fraction
	for d, v := range x {
		z := float64(v)
		q := z*inverse + magic - magic
		out[d] = int16(q)
		q *= scale
		kept += q * q
		left += (z - q) * (z - q)
		whole += z * z
	}
	return upward(kept), upward(left), upward(whole)
}

// upward is the square root of a sum of up to a million squares, rounded up by
// more than float64 can have lost.
func upward(squares float64) float64 { return math.Sqrt(squares) * (1 + 1e-9) }

// extent is the norm and the largest element of x; infinite or NaN where an
// element is.
func extent(x []float32) (norm, largest float64) {
	sum, top := 0.0, float32(0)
	for _, v := range x {
		sum += float64(v) * float64(v)
		top = max(top, v, -v)
	}
	return upward(sum), float64(top)
}

// max4Plain raises best, whose 16 lanes take the panel's columns in turn, by
// the products with a group of four rows. rows is [ceil(dim/2), 4]: two int16
// in one int32, the lower dimension in the lower half.
func (p wholePanel) max4Plain(rows []int32, best *[4][16]int32) {
	for r := range 4 {
		var acc [panelWidth]int32
		for d := 0; 4*d < len(rows); d++ {
			w := rows[4*d+r]
			lo, hi := int32(int16(w)), w>>16
			line := p.data[d*2*p.width : (d+1)*2*p.width]
			for c := range p.width {
				acc[c] += lo*int32(line[2*c]) + hi*int32(line[2*c+1])
			}
		}
		for c, z := range acc[:p.width] {
			best[r][c%16] = max(best[r][c%16], z)
		}
	}
}
