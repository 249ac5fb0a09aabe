package event

import "math"

// DevSeries is the name of the series of one figure on dev data: dev/<dataset>/<figure> for
// a collection, and dev/<figure> for the whole evaluation, with the dataset "".
func DevSeries(dataset, figure string) string {
	if dataset == "" {
		return "dev/" + figure
	}
	return "dev/" + dataset + "/" + figure
}

// Values returns the points of the evaluation by series. A collection without figures
// (Refused) has only the measure that selects, as NaN.
func (m Measured) Values() map[string]Value {
	values := map[string]Value{DevSeries("", m.Measure): m.Value, DevSeries("", "seconds"): Value(m.Seconds)}
	if m.Tested > 0 {
		values[DevSeries("", "tested")] = Value(m.Tested)
	}
	for _, c := range m.Collections {
		if c.Refused != "" {
			values[DevSeries(c.Dataset, m.Measure)] = Value(math.NaN())
			continue
		}
		for name, v := range c.Measures {
			values[DevSeries(c.Dataset, name)] = v
		}
		values[DevSeries(c.Dataset, "active_query")] = c.ActiveQuery
		values[DevSeries(c.Dataset, "active_document")] = c.ActiveDocument
		values[DevSeries(c.Dataset, "flops")] = c.Flops
	}
	return values
}

// SurvivesResume reports whether a Measured of an earlier attempt stands once an attempt has
// resumed from a step.
func (m Measured) SurvivesResume(fromStep int) bool { return fromStep > 0 && m.Step <= fromStep }
