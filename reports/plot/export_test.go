package plot

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Label is a tick's label with the ends that it has on its axis.
type Label struct {
	Text       string
	Begin, End float64
}

// DivisionLabels returns the labels of the axis of head norms with these factors.
func DivisionLabels(texts []string, length float64) []Label {
	var fs []factor
	for _, text := range texts {
		fs = append(fs, factor{text: text})
	}
	s := divisions(fs, vg.Length(length))
	measure := newBrush(draw.Canvas{})
	var labels []Label
	for _, t := range s.ticks {
		if t.label == "" {
			continue
		}
		half := float64(measure.textWidth(t.label, script{size: sizeTick})) / 2
		at := s.at(t.value) * length
		labels = append(labels, Label{t.label, at - half, at + half})
	}
	return labels
}

// Asides returns how far each of several equal seeds is moved, in points.
func Asides(seeds int) []float64 {
	var seen []vg.Length
	var moved []float64
	for range seeds {
		moved = append(moved, offset(seen, 7).Points())
		seen = append(seen, 7)
	}
	return moved
}
