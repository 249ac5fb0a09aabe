package html_test

import (
	"bytes"
	"flag"
	"html/template"
	"os"
	"regexp"
	"strings"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/html"
	"headroom/reports/internal/sample"
	"headroom/reports/plot"
	"headroom/reports/table"
)

var update = flag.Bool("update", false, "write the golden file instead of comparing with it")

const evil = `</script><script>alert("x")</script><b onmouseover='y'>&amp;` + "\u202egnp\x1b[31m\n`${z}`"

func written(t *testing.T, p html.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// small has every part once, and in every place words that would be markup.
func small() html.Page {
	scores := &table.Table{Title: "Scores " + evil, Columns: []table.Column{{Name: "model" + evil, Key: true}, {Name: "nDCG@10", Better: table.Higher, Numeric: true}}}
	note := scores.Note("a note " + evil)
	scores.Columns[1].Notes = []int{note}
	value := table.Number(0.4812345, "0.481", note)
	value.From = []string{"ab12", "none"}
	model := table.Text("one " + evil)
	model.Link, model.Full = "#run-1", "full "+evil
	scores.Rows = [][]table.Cell{{model, value}, {table.Text("two"), table.Text(table.Missing)}}
	return html.Page{Title: "t " + evil, Over: "over " + evil, Question: "q " + evil, Status: "s " + evil,
		Up: []html.Link{{Text: "up " + evil, Href: "javascript:alert(1)"}},
		Sections: []html.Section{
			{ID: "first", Title: "First " + evil, Note: "n " + evil, Parts: []html.Part{html.Text("text " + evil), html.List{"item " + evil}, html.List{}}},
			{ID: "scores", Title: "Scores", Parts: []html.Part{html.Table{ID: "scores-table", Table: scores}}},
			{ID: "rest", Title: "Rest", Parts: []html.Part{html.Facts{{Name: "f " + evil, Value: "v " + evil}}, html.Lines("a = " + evil),
				html.Folded{ID: "run-1", Title: "run " + evil, Mark: html.Mark{Text: "empty " + evil, Tone: html.Bad}, Parts: []html.Part{html.Text("inside")}},
				html.Mark{Text: "mark " + evil}, html.Links{{Text: "a " + evil, Href: "table.csv"}}, html.Beside{html.Text("left"), html.Text("right")}}},
		},
		Sources: []html.Source{{Key: "ab12", Name: "run " + evil, Href: "#run-1", Facts: []html.Fact{{Name: "digest " + evil, Value: "sha256:" + evil}}}},
		Script:  template.JS("later();"),
	}
}

// TestGolden compares everything between stylesheet and script with a file.
func TestGolden(t *testing.T) {
	text := written(t, small())
	cut := regexp.MustCompile(`(?s)<style>.*?</style>|<script>\s*"use strict";.*?</script>`)
	got := cut.ReplaceAllString(text, "")
	const path = "testdata/small.html"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page differs from %s; run with -update and read the diff", path)
	}
}

// TestNothingIsMarkup looks for the words of small as a browser would read them.
func TestNothingIsMarkup(t *testing.T) {
	text := written(t, small())
	for _, bad := range []string{"<script>alert", "<b onmouseover", "\u202e", "\x1b", `"javascript:`} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q as it is", bad)
		}
	}
	if n := strings.Count(text, "</script>"); n != 3 {
		t.Errorf("%d scripts end, want those of the sources, of the page and of its own", n)
	}
	if n := strings.Count(text, "&lt;b onmouseover"); n < 20 {
		t.Errorf("only %d of the texts are there, escaped", n)
	}
}

// TestStandsAlone finds nothing in the page that a browser would have to fetch.
func TestStandsAlone(t *testing.T) {
	c, err := compare.Compare(sample.Demo())
	if err != nil {
		t.Fatal(err)
	}
	p := html.Page{Title: "figures", Sections: []html.Section{{ID: "f", Title: "f", Parts: []html.Part{html.Figure{Figure: plot.Loss(c)}}}}}
	text := written(t, p)
	for _, found := range regexp.MustCompile(`(?:src|href)="([^"]*)"|url\(|@import|@font-face|fetch\(|import\(|XMLHttp`).FindAllStringSubmatch(text, -1) {
		if target := found[1]; target != "data:," && !strings.HasPrefix(target, "#") {
			t.Errorf("the page wants %q", found[0])
		}
	}
	if strings.Contains(text, "http") {
		t.Error("the page names an address")
	}
}

// TestFigureFollowsThePage looks at the colours of a figure inside a page.
func TestFigureFollowsThePage(t *testing.T) {
	c, err := compare.Compare(sample.Demo())
	if err != nil {
		t.Fatal(err)
	}
	text, err := html.Figure{Figure: plot.Loss(c)}.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if left := regexp.MustCompile(`(?:fill|stroke):#`).FindString(string(text)); left != "" {
		t.Errorf("a colour that stays: %q", left)
	}
	used := regexp.MustCompile(`var\((--c[0-9A-F]{6}),`).FindAllStringSubmatch(string(text), -1)
	if len(used) < 10 {
		t.Fatalf("%d uses of colours", len(used))
	}
	for _, u := range used {
		if !strings.Contains(string(text), u[1]+":#") {
			t.Errorf("%s has no dark form", u[1])
		}
	}
	for _, want := range []string{`viewBox="0 0 600`, `role="img"`, "Training loss by k</text>", "<figcaption>"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the figure lacks %q", want)
		}
	}
}
