package compare

// Line is one backbone (in one variant, if the sweep varies more than
// backbone, k and seed) across k.
type Line struct {
	Backbone string
	// Title is the name of the backbone, unique in the sweep.
	Title string
	// Variant holds the other keys in which this line differs from others of its backbone;
	// Axes is the same with names for people.
	Variant []Setting
	Axes    []Axis
	Points  []*Point // k ascending
	// Best is the point with the best mean over all its seeds, nil if nothing was measured
	// and if every run collapsed.
	Best *Point
	// SelectedOn names the queries by which Best was chosen: "dev", or "test", for which a report has a warning.
	SelectedOn string
}

// Name is the name of the backbone, with the variant if there is one.
func (l *Line) Name() string {
	if axes := l.AxesText(); axes != "" {
		return l.Title + ", " + axes
	}
	return l.Title
}

// nameAt is the name of the line's point with a k, by the text of that.
func (l *Line) nameAt(k string) string { return l.Name() + " " + KName(k) }

// At returns the point of a factor, nil if the line has none. A factor of the sweep's file
// comes before an equal one of an automatic choice.
func (l *Line) At(k float64) *Point {
	var chosen *Point
	for _, p := range l.Points {
		if p.K == k && p.Auto == "" {
			return p
		}
		if p.K == k && chosen == nil {
			chosen = p
		}
	}
	return chosen
}
