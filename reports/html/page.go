// Package html makes pages that need nothing but a browser: no network, no file
// beside them. A page is data, sections of parts; its stylesheet, its script and
// its figures stand inside it.
//
// The contract:
//   - Every text is escaped by html/template. What would steer a reader's eye or
//     hide, such as a mark of writing direction, is shown as an escape (internal/plain).
//   - The same page gives the same bytes.
//   - Without script everything can still be read. The script sorts and filters tables
//     and shows what a number was made of.
//   - A page is light or dark as the reader's system is, and light on paper.
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
	// Over stands small above the title: what kind of page this is. "" is none.
	Over string
	// Question stands below the title, Status below that; "" is none.
	Question, Status string
	// Up are the links above everything, to the pages that this one belongs to.
	Up       []Link
	Sections []Section
	// Sources are what the numbers of the page's tables were made of, by their keys.
	Sources []Source
	// Script runs after the page's own, for pages that are served.
	Script template.JS
}

// Section is a heading and what stands below it. It is in the page's contents.
type Section struct {
	// ID is the section's anchor: letters, digits and dashes.
	ID, Title string
	// Note says below the heading what the section is about; "" is none.
	Note  string
	Parts []Part
}

// Part is something that stands in a section. HTML returns it as markup in which every
// text is escaped.
type Part interface {
	HTML() (template.HTML, error)
}

// Link is a name that leads somewhere.
type Link struct{ Text, Href string }

// Source is where a number comes from: a run and its evaluation, or a baseline's.
type Source struct {
	// Key is what cells call it by (table.Cell.From).
	Key  string `json:"key"`
	Name string `json:"name"`
	// Href leads to more about it; "" is nowhere.
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

// templates are parsed once: a page fills them some hundred times.
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

// printable are sources without anything that hides: the script writes their texts as they are.
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
