package serve

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"headroom/internal/plain"
)

// download answers with a page's content as a file: curves.csv, curves.svg or runs.csv.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	file, page := r.PathValue("file"), r.URL.Query().Get("page")
	var text []byte
	var err error
	kind := "text/csv"
	switch file {
	case "curves.csv", "curves.svg":
		q, _, ok := s.requestOf(page, r.URL.Query().Get("width"))
		if !ok {
			refuse(w, http.StatusNotFound, "no such page")
			return
		}
		var d curvesDocument
		if d, err = q.read(r.Context(), nil); err == nil && file == "curves.csv" {
			text, err = curvesCSV(d)
		} else if err == nil {
			kind = "image/svg+xml"
			text, err = s.curvesSVG(d)
		}
	case "runs.csv":
		u, fault := url.Parse(page)
		if fault != nil || u.IsAbs() {
			refuse(w, http.StatusNotFound, "no such page")
			return
		}
		base, ok := s.base(&http.Request{URL: u})
		sweep := base.Snapshot.Sweep(strings.TrimPrefix(u.Path, "/sweeps/"))
		if !ok || sweep == nil {
			refuse(w, http.StatusNotFound, "no such sweep")
			return
		}
		text, err = tableCSV(makeTable(base.V.with("all", "1"), sweep))
	default:
		refuse(w, http.StatusNotFound, "there are curves.csv, curves.svg and runs.csv")
		return
	}
	if err != nil {
		refuse(w, http.StatusInternalServerError, plain.Line(err.Error()))
		return
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
	answer(w, r, http.StatusOK, kind, text)
}

func curvesCSV(d curvesDocument) ([]byte, error) {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	rows := [][]string{{"series", "curve", "id", "runs", "step", "value", "low", "high"}}
	for _, s := range d.Series {
		for _, curve := range s.Curves {
			about := []string{s.Name, cellText(curve.Label), curve.ID, strconv.Itoa(curve.Runs)}
			for i, step := range curve.Steps {
				row := append(about[:4:4], strconv.Itoa(step), digits(curve.Values[i]), "", "")
				if len(curve.Low) > 0 {
					row[6], row[7] = digits(curve.Low[i]), digits(curve.High[i])
				}
				rows = append(rows, row)
			}
			for _, bad := range curve.Bad {
				rows = append(rows, append(about[:4:4], strconv.Itoa(bad.Step), bad.Word, "", ""))
			}
		}
	}
	err := c.WriteAll(rows)
	return b.Bytes(), err
}

func digits(v shorter) string { return strconv.FormatFloat(float64(v), 'g', 6, 64) }

// cellText writes a name such that a spreadsheet does not read it as a formula.
func cellText(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func tableCSV(t table) ([]byte, error) {
	var b bytes.Buffer
	head := []string{"run", "id", "verdict"}
	for _, c := range t.Columns {
		head = append(head, c.Title)
	}
	rows := [][]string{head}
	for _, r := range t.Rows {
		row := []string{cellText(r.Label), r.ID, r.Verdict}
		for _, c := range r.Cells {
			text := c.Text
			if !c.Number {
				text = cellText(text)
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	err := csv.NewWriter(&b).WriteAll(rows)
	return b.Bytes(), err
}

// svgPanel is one series of a figure.
type svgPanel struct {
	Name       string
	Top        int
	Lines      []svgLine
	XTicks     []tick
	YTicks     []tick
	Low, Right int
}

type svgLine struct{ Points, Band, Label, Class string }

const (
	svgWidth, svgHeight, svgLeft, svgGap = 900, 260, 70, 44
)

// curvesSVG draws the panels one below the other, with values on linear axes.
func (s *Server) curvesSVG(d curvesDocument) ([]byte, error) {
	var panels []svgPanel
	var labels []svgLine
	for i, series := range d.Series {
		p := svgPanel{Name: series.Name, Top: i * (svgHeight + svgGap), Low: svgHeight, Right: svgWidth - 10}
		xs, ys := [2]float64{math.Inf(1), math.Inf(-1)}, [2]float64{math.Inf(1), math.Inf(-1)}
		for _, c := range series.Curves {
			for j, step := range c.Steps {
				xs[0], xs[1] = min(xs[0], float64(step)), max(xs[1], float64(step))
				low, high := c.Values[j], c.Values[j]
				if len(c.Low) > 0 {
					low, high = c.Low[j], c.High[j]
				}
				ys[0], ys[1] = min(ys[0], float64(low)), max(ys[1], float64(high))
			}
		}
		if xs[0] > xs[1] {
			panels = append(panels, p)
			continue
		}
		if ys[0] == ys[1] {
			ys[0], ys[1] = ys[0]-1, ys[1]+1
		}
		x := func(v int) float64 {
			return svgLeft + (svgWidth-10-svgLeft)*(float64(v)-xs[0])/max(1, xs[1]-xs[0])
		}
		y := func(v shorter) float64 { return 20 + (svgHeight-20)*(1-(float64(v)-ys[0])/(ys[1]-ys[0])) }
		for j, c := range series.Curves {
			line := svgLine{Label: c.Label, Class: fmt.Sprintf("c%d", j%10)}
			for k, step := range c.Steps {
				line.Points += fmt.Sprintf("%.1f,%.1f ", x(step), y(c.Values[k]))
				if len(c.Low) > 0 {
					line.Band += fmt.Sprintf("%.1f,%.1f ", x(step), y(c.High[k]))
				}
			}
			for k := len(c.Low) - 1; k >= 0; k-- {
				line.Band += fmt.Sprintf("%.1f,%.1f ", x(c.Steps[k]), y(c.Low[k]))
			}
			p.Lines = append(p.Lines, line)
		}
		for k := range 5 {
			v := ys[0] + (ys[1]-ys[0])*float64(k)/4
			p.YTicks = append(p.YTicks, tick{y(shorter(v)), strconv.FormatFloat(v, 'g', 4, 64)})
			step := int(xs[0] + (xs[1]-xs[0])*float64(k)/4)
			p.XTicks = append(p.XTicks, tick{x(step), strconv.Itoa(step)})
		}
		panels = append(panels, p)
		labels = p.Lines
	}
	var b bytes.Buffer
	err := s.pages["help"].ExecuteTemplate(&b, "curves-svg", struct {
		Panels        []svgPanel
		Labels        []svgLine
		Width, Height int
		LabelsTop     int
		Left          int
		Style         template.CSS
	}{panels, labels, svgWidth, len(panels)*(svgHeight+svgGap) + 18*len(labels) + 20, len(panels) * (svgHeight + svgGap), svgLeft, svgStyle})
	return b.Bytes(), err
}

// svgStyle colours a figure that stands alone.
const svgStyle template.CSS = `text{font:12px sans-serif;fill:#333}line{stroke:#ccc}polyline{fill:none;stroke-width:1.5}polygon{opacity:.18;stroke:none}
.c0{stroke:#2a6fdb;fill:#2a6fdb}.c1{stroke:#d1495b;fill:#d1495b}.c2{stroke:#2e933c;fill:#2e933c}.c3{stroke:#b5651d;fill:#b5651d}.c4{stroke:#7a4fc0;fill:#7a4fc0}
.c5{stroke:#008b9a;fill:#008b9a}.c6{stroke:#c2297f;fill:#c2297f}.c7{stroke:#6b7a00;fill:#6b7a00}.c8{stroke:#5b6472;fill:#5b6472}.c9{stroke:#e08a00;fill:#e08a00}polyline{fill:none!important}`
