package evidence

import (
	"math"
	"slices"
)

// rounding is far above the rounding error of products of unit vectors in float64.
const rounding = 1e-12

// effectiveRank returns exp of the entropy of the singular values of unit vectors,
// normalized to a sum of 1 (RankMe, arXiv 2210.02885): 1 if all vectors are equal, n if
// they are orthogonal, NaN if a cosine is not finite. cosines [n, n] is their Gram matrix,
// whose eigenvalues are the squared singular values; it is overwritten.
func effectiveRank(cosines [][]float64) float64 {
	for _, row := range cosines {
		for _, x := range row {
			if x-x != 0 {
				return math.NaN()
			}
		}
	}
	values := eigenvalues(cosines)
	sum, most := 0.0, slices.Max(values)
	for i, v := range values {
		if v < rounding*most { // a zero that rounding made positive: its root would count
			v = 0
		}
		values[i] = math.Sqrt(v)
		sum += values[i]
	}
	entropy := 0.0
	for _, v := range values {
		if v > 0 {
			entropy -= v / sum * math.Log(v/sum)
		}
	}
	return math.Exp(entropy)
}

// eigenvalues returns the eigenvalues of a symmetric matrix, in no order, by cyclic Jacobi
// rotations, which overwrite the matrix. Some tens of rows take milliseconds.
func eigenvalues(a [][]float64) []float64 {
	n := len(a)
	const sweeps = 30 // it converges quadratically: fewer than ten are needed
	for range sweeps {
		off, all := 0.0, 0.0
		for i := range n {
			for j := range n {
				all += a[i][j] * a[i][j]
				if i != j {
					off += a[i][j] * a[i][j]
				}
			}
		}
		if off <= 1e-24*all {
			break
		}
		for p := range n - 1 {
			for q := p + 1; q < n; q++ {
				rotate(a, p, q)
			}
		}
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = a[i][i]
	}
	return values
}

// rotate makes the elements [p, q] and [q, p] zero.
func rotate(a [][]float64, p, q int) {
	if a[p][q] == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := math.Copysign(1, theta) / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	for k := range a {
		x, y := a[k][p], a[k][q]
		a[k][p], a[k][q] = c*x-s*y, s*x+c*y
	}
	rowP, rowQ := a[p], a[q]
	for k := range a {
		x, y := rowP[k], rowQ[k]
		rowP[k], rowQ[k] = c*x-s*y, s*x+c*y
	}
}
