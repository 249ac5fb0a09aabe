package html

import (
	"bytes"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"

	"headroom/reports/plot"
)

// Figure shows a picture as part of the page, with its caption. It has other colours on a
// dark page.
type Figure struct{ *plot.Figure }

// HTML returns the figure.
func (f Figure) HTML() (template.HTML, error) {
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		return "", err
	}
	drawing, dark, err := inline(b.String())
	if err != nil {
		return "", fmt.Errorf("show figure %q: %w", f.Name, err)
	}
	return execute("figure", struct {
		Name, Caption, Alt string
		Drawing            template.HTML
		Dark               template.CSS
	}{f.Name, f.Caption, f.Alt, template.HTML(drawing), template.CSS(dark)})
}

var (
	sizes  = regexp.MustCompile(`<svg width="[0-9.]+pt" height="[0-9.]+pt"`)
	fonts  = regexp.MustCompile(`font-family:[^;]*;font-variant:normal;font-weight:(\w+);font-style:normal;`)
	hues   = regexp.MustCompile(`(fill|stroke):#([0-9A-F]{6})`)
	spaces = regexp.MustCompile(`\s*xmlns(:xlink)?="[^"]*"`)
)

// inline makes an SVG file a part of a page: without its prolog, as wide as possible, and with
// variables for its colours. dark defines these variables for dark pages.
func inline(svg string) (drawing, dark string, err error) {
	start := strings.Index(svg, "<svg")
	if start < 0 || !sizes.MatchString(svg) {
		return "", "", fmt.Errorf("not a drawing with a size in points")
	}
	svg = sizes.ReplaceAllString(svg[start:], "<svg")
	svg = spaces.ReplaceAllString(svg, "")
	svg = fonts.ReplaceAllString(svg, "font-weight:$1;")
	svg = strings.ReplaceAll(svg, "font-weight:normal;", "")
	var used []string
	svg = hues.ReplaceAllStringFunc(svg, func(found string) string {
		parts := hues.FindStringSubmatch(found)
		if parts[2] == "FFFFFF" {
			return parts[1] + ":var(--paper,#fff)"
		}
		if !slices.Contains(used, parts[2]) {
			used = append(used, parts[2])
		}
		return parts[1] + ":var(--c" + parts[2] + ",#" + parts[2] + ")"
	})
	slices.Sort(used)
	var b strings.Builder
	for _, hex := range used {
		other, err := plot.Dark(hex)
		if err != nil {
			return "", "", err
		}
		fmt.Fprintf(&b, "--c%s:#%s;", hex, other)
	}
	return svg, b.String(), nil
}
