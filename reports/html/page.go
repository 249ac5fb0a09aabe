// Package html makes pages that need only a browser: no network and no other file. A
// page is data: sections with parts. It contains its stylesheet, its script and its
// figures.
//
// The contract:
//   - Every text is escaped by html/template. Invisible characters and marks of the
//     writing direction are shown as escapes (internal/plain).
//   - The same page gives the same bytes.
//   - Without script everything can still be read. The script sorts and filters tables
//     and shows the sources of a number.
//   - A page is light or dark, like the reader's system, and light on paper.
package html

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"sync"

	"headroom/internal/plain"
)

//go:embed page.gohtml parts.gohtml style.css script.js
var files embed.FS

// Page is one document.
type Page struct {
	Title string
	// Over is a small line above the title, the kind of the page. "" is none.
	Over string
	// Question is shown below the title, and Status below it; "" is none.
	Question, Status string
	// Up are links at the top, to the pages to which this one belongs.
	Up       []Link
	Sections []Section
	// Sources are the sources of the numbers in the page's tables, by their keys.
	Sources []Source
	// Script runs after the page's own, for pages that are served.
	Script template.JS
}

// Section is a heading with parts. It is in the page's table of contents.
type Section struct {
	// ID is the section's anchor: letters, digits and dashes.
	ID, Title string
	// Note is a text below the heading about the section; "" is none.
	Note  string
	Parts []Part
}

// Part is a part of a section. HTML returns its markup, in which every text is escaped.
type Part interface {
	HTML() (template.HTML, error)
}

// Link is a name with an address.
type Link struct{ Text, Href string }

// Source is where a number comes from: a run and its evaluation, or a baseline's.
type Source struct {
	// Key is its name in cells (table.Cell.From).
	Key  string `json:"key"`
	Name string `json:"name"`
	// Href is the address of more about it; "" is none.
	Href  string `json:"href,omitempty"`
	Facts []Fact `json:"facts"`
}

// Fact is a name and its value. Long values, as digests are, break where they must.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	style, err := files.ReadFile("style.css")
	if err != nil {
		return fmt.Errorf("write page %q: %w", p.Title, err)
	}
	script, err := files.ReadFile("script.js")
	if err != nil {
		return fmt.Errorf("write page %q: %w", p.Title, err)
	}
	p.Sources = printable(p.Sources)
	text, err := execute("page", struct {
		Page
		Style   template.CSS
		OwnCode template.JS
	}{p, template.CSS(style), template.JS(script)})
	if err != nil {
		return fmt.Errorf("write page %q: %w", p.Title, err)
	}
	_, err = io.WriteString(w, string(text))
	return err
}

// Style returns the stylesheet, for pages that are served and share it.
func Style() ([]byte, error) { return files.ReadFile("style.css") }

// templates are parsed once, because a page uses them some hundred times.
var templates = sync.OnceValues(func() (*template.Template, error) {
	functions := template.FuncMap{"plain": plain.Line, "lines": plain.Lines, "inc": func(i int) int { return i + 1 }}
	return template.New("").Funcs(functions).ParseFS(files, "*.gohtml")
})

// execute fills one of the templates.
func execute(name string, data any) (template.HTML, error) {
	t, err := templates()
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil
}

// printable returns sources without invisible characters, because the script writes their texts unchanged.
func printable(sources []Source) []Source {
	out := make([]Source, len(sources))
	for i, s := range sources {
		out[i] = Source{Key: s.Key, Name: plain.Line(s.Name), Href: s.Href, Facts: make([]Fact, len(s.Facts))}
		for j, f := range s.Facts {
			out[i].Facts[j] = Fact{plain.Line(f.Name), plain.Line(f.Value)}
		}
	}
	return out
}
