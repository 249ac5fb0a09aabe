package report

import (
	"bytes"
	"io"

	"headroom/internal/atomic"
	"headroom/reports/compare"
)

// WriteTexts writes a folder of texts, by their names in pairs, as a report's.
func WriteTexts(disk atomic.Disk, folder string, texts ...string) error {
	var all []file
	for i := 0; i < len(texts); i += 2 {
		all = append(all, file{texts[i], func(w io.Writer) error { _, err := io.WriteString(w, texts[i+1]); return err }})
	}
	_, err := writeFolder(disk, folder, all)
	return err
}

// Page is the text of report.html.
func Page(c *compare.Comparison, more Extras) (string, error) {
	var b bytes.Buffer
	err := page(&b, c, more, Figures(c), Tables(c, more))
	return b.String(), err
}
