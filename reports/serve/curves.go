package serve

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"headroom/metrics/store"
	"headroom/reports/live"
)

// curvesDocument has the curves of a page.
type curvesDocument struct {
	Schema int `json:"schema"`
	// Cursor is the state after these curves, from which the stream of news continues.
	Cursor string       `json:"cursor"`
	Series []seriesPart `json:"series"`
	// Marks are the episodes of the runs that are drawn.
	Marks []mark `json:"marks"`
}

type seriesPart struct {
	Name   string      `json:"name"`
	Curves []curvePart `json:"curves"`
}

// curvePart is a curve from a step on: points of a run, or the band of several.
type curvePart struct {
	ID     string    `json:"id"`
	Label  string    `json:"label"`
	Runs   int       `json:"runs"`
	From   int       `json:"from"`
	Bucket int       `json:"bucket"`
	Steps  []int     `json:"steps"`
	Values []shorter `json:"values"`
	// Low and High are the ends of a band.
	Low  []shorter `json:"low,omitempty"`
	High []shorter `json:"high,omitempty"`
	// Bad are the steps with NaN or infinite values.
	Bad []badPoint `json:"bad,omitempty"`
}

type badPoint struct {
	Step int    `json:"step"`
	Word string `json:"word"`
}

type mark struct {
	ID       string `json:"id"`
	Run      string `json:"run"`
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	First    int    `json:"first"`
	Last     int    `json:"last"`
	Stands   bool   `json:"stands"`
}

// shorter writes a number with six digits, more than a screen shows.
type shorter float64

func (v shorter) MarshalJSON() ([]byte, error) {
	f := float64(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, f, 'g', 6, 64), nil
}

// request says which curves a page draws, and in how many points.
type request struct {
	place  *Place
	curves []drawn
	series []string
	span   store.Span
	bucket int
}

// The number of points, or of buckets, per curve.
const (
	usualPoints = 240
	mostPoints  = 2000
)

// requestOf reads the curves of a page from its address; ok is false if the page has none.
func (s *Server) requestOf(page, width string) (request, shown, bool) {
	u, err := url.Parse(page)
	if err != nil || u.IsAbs() || u.Host != "" {
		return request{}, shown{}, false
	}
	base, ok := s.base(&http.Request{URL: u})
	if !ok {
		return request{}, base, false
	}
	q := request{place: base.Place, series: seriesOf(base.V, []string{"loss", "active/document"})}
	total := 0
	if name, is := strings.CutPrefix(u.Path, "/sweeps/"); is {
		sweep := base.Snapshot.Sweep(name)
		if sweep == nil {
			return q, base, false
		}
		q.curves = drawnOf(base.V, sweep)
	} else if id, is := strings.CutPrefix(u.Path, "/runs/"); is {
		run, _ := find(base.Snapshot, id)
		if run == nil {
			return q, base, false
		}
		q.curves = []drawn{{run.Run.Run, run.Label, []*live.Run{run}}}
		q.series = seriesOf(base.V, usualOf(run))
	}
	for _, c := range q.curves {
		for _, r := range c.Runs {
			total = max(total, r.Total, r.Done)
		}
	}
	const endless = 1 << 40
	q.span = store.Span{From: base.V.number("from", 0, 0, endless), To: base.V.number("to", endless, 0, endless)}
	points := usualPoints
	if n, err := strconv.Atoi(width); err == nil {
		points = min(max(n, 50), mostPoints)
	}
	shownSteps := min(q.span.To, total) - q.span.From
	q.bucket = max(1, (shownSteps+points-1)/points)
	return q, base, true
}

// read reads the curves, each from a step on: from has the step by the curve's id, 0 for
// all.
func (q request) read(ctx context.Context, from map[string]int) (curvesDocument, error) {
	d := curvesDocument{Schema: 1, Series: []seriesPart{}, Marks: []mark{}}
	for _, name := range q.series {
		part := seriesPart{Name: name, Curves: []curvePart{}}
		for _, c := range q.curves {
			start, wanted := from[c.ID]
			if from != nil && !wanted {
				continue
			}
			one, err := q.curve(ctx, c, name, start)
			if err != nil {
				return d, err
			}
			part.Curves = append(part.Curves, one)
		}
		d.Series = append(d.Series, part)
	}
	for _, c := range q.curves {
		for _, r := range c.Runs {
			for _, e := range r.Episodes {
				d.Marks = append(d.Marks, mark{c.ID, r.Label, e.Verdict, e.Severity, e.FirstStep, e.LastStep, e.Stands})
			}
		}
	}
	return d, nil
}

func (q request) curve(ctx context.Context, c drawn, name string, from int) (curvePart, error) {
	span := q.span
	span.From = max(span.From, from/q.bucket*q.bucket)
	out := curvePart{ID: c.ID, Label: c.Label, Runs: len(c.Runs), From: span.From, Bucket: q.bucket, Steps: []int{}, Values: []shorter{}}
	var all []store.Thin
	for _, r := range c.Runs {
		thin, err := q.place.curves.Read(ctx, r, name, span, q.bucket)
		if err != nil {
			return out, err
		}
		all = append(all, thin)
	}
	var bad []store.NonFinite
	if len(all) == 1 {
		out.Steps, out.Values, bad = append(out.Steps, all[0].Steps...), shorten(all[0].Values), all[0].NonFinite
	} else {
		band := live.BandOf(all)
		out.Steps, out.Values, bad = append(out.Steps, band.Steps...), shorten(band.Mean), band.NonFinite
		out.Low, out.High = shorten(band.Low), shorten(band.High)
	}
	for _, b := range bad {
		out.Bad = append(out.Bad, badPoint{b.Step, b.Word})
	}
	return out, nil
}

func shorten(values []float64) []shorter {
	out := make([]shorter, len(values))
	for i, v := range values {
		out[i] = shorter(v)
	}
	return out
}

func (s *Server) apiCurves(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	q, base, ok := s.requestOf(values.Get("page"), values.Get("width"))
	if !ok {
		d, code := failure(ErrNotFound)
		writeJSON(w, r, code, d)
		return
	}
	d, err := q.read(r.Context(), nil)
	if err != nil {
		d, code := failure(err)
		writeJSON(w, r, code, d)
		return
	}
	d.Cursor = s.cursorOf(base.Snapshot.Version, q).String()
	writeJSON(w, r, http.StatusOK, d)
}
