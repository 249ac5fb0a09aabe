package hf

import (
	"math/rand/v2"
	"strings"
)

// Fresh makes a new parameter: a matrix of normal values with the given standard
// deviation, a norm's gains of 1, a bias of 0. Only the elements of a matrix draw from
// r, in order.
func (s ParamSpec) Fresh(r *rand.Rand, std float64) *Param {
	size := 1
	for _, d := range s.Shape {
		size *= d
	}
	p := &Param{Name: s.Name, Shape: s.Shape, Data: make([]float32, size)}
	for i := range p.Data {
		switch {
		case len(s.Shape) > 1:
			p.Data[i] = float32(std * r.NormFloat64())
		case strings.HasSuffix(s.Name, ".weight"):
			p.Data[i] = 1
		}
	}
	return p
}

// FreshParams makes every parameter of a configuration, by its canonical name.
func FreshParams(c Config, r *rand.Rand, std float64) map[string]*Param {
	params := map[string]*Param{}
	for _, spec := range c.Params() {
		params[spec.Name] = spec.Fresh(r, std)
	}
	return params
}
