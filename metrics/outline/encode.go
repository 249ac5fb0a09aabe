package outline

import (
	"encoding/binary"
	"errors"
	"math"
)

// Version is raised when the rules by which series are reduced change, or the bytes that Encode returns.
const Version = 2

// errFormat is returned by Decode for bytes that are not a curve of this version.
var errFormat = errors.New("not a curve of this version")

// Encode returns a curve as bytes. Whole curves and reduced ones have the same form: a version, the
// number of points of the whole series, its last step, its least positive value and the floor, the
// points, and the three series of means. A step and a place are encoded as the difference from the one before.
func (c Curve) Encode() []byte {
	r := reduced{points: len(c.Steps)}
	if c.reduced != nil {
		r = *c.reduced
	}
	b := append(make([]byte, 0, 64+40*len(c.Steps)), Version)
	b = binary.AppendUvarint(b, uint64(r.points))
	b = binary.AppendVarint(b, int64(r.last))
	for _, v := range []float64{r.least, r.floor} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	b = appendPoints(b, c.Series, r.places)
	for _, m := range []*means{r.linear, r.geometric, r.exact} {
		if m == nil {
			m = &means{}
		}
		b = appendPoints(b, m.Series, m.places)
	}
	return b
}

// appendPoints appends the number of points and the points, each with its place if places is not nil.
func appendPoints(b []byte, s Series, places []int) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.Steps)))
	place, step := 0, 0
	for i := range s.Steps {
		if places != nil {
			b = binary.AppendUvarint(b, uint64(places[i]-place))
			place = places[i]
		}
		b = binary.AppendVarint(b, int64(s.Steps[i]-step))
		step = s.Steps[i]
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Values[i]))
	}
	return b
}

// Decode returns the curve that Encode wrote, and an error for any other bytes.
func Decode(b []byte) (Curve, error) {
	if len(b) == 0 || b[0] != Version {
		return Curve{}, errFormat
	}
	d := &decoder{rest: b[1:]}
	r := &reduced{points: int(d.uvarint()), last: int(d.varint()), least: d.float(), floor: d.float()}
	var c Curve
	isReduced := r.points > Most
	c.Series, r.places = d.points(isReduced)
	for _, into := range []**means{&r.linear, &r.geometric, &r.exact} {
		if s, places := d.points(true); len(places) > 0 {
			*into = &means{s, places}
		}
	}
	if d.failed || len(d.rest) > 0 || !isReduced && len(c.Steps) != r.points {
		return Curve{}, errFormat
	}
	if isReduced {
		c.reduced = r
	}
	return c, nil
}

// decoder reads what Encode wrote. After a failure it returns zeros.
type decoder struct {
	rest   []byte
	failed bool
}

// skip drops the n bytes of a number; n is 0 or less if there was none.
func (d *decoder) skip(n int) {
	if n <= 0 || n > len(d.rest) {
		d.rest, d.failed = nil, true
		return
	}
	d.rest = d.rest[n:]
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) float() float64 {
	var v float64
	if len(d.rest) >= 8 {
		v = math.Float64frombits(binary.LittleEndian.Uint64(d.rest))
	}
	d.skip(8)
	return v
}

func (d *decoder) points(withPlaces bool) (s Series, places []int) {
	n := d.uvarint()
	if n > uint64(len(d.rest)) { // each point has several bytes
		d.failed = true
		return s, nil
	}
	s = Series{make([]int, n), make([]float64, n)}
	if withPlaces {
		places = make([]int, n)
	}
	place, step := 0, 0
	for i := range s.Steps {
		if withPlaces {
			place += int(d.uvarint())
			places[i] = place
		}
		step += int(d.varint())
		s.Steps[i], s.Values[i] = step, d.float()
	}
	return s, places
}
