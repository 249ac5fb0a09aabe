package html

import "html/template"

// Text is a paragraph.
type Text string

// HTML returns the paragraph.
func (t Text) HTML() (template.HTML, error) { return execute("text", string(t)) }

// Heading is the heading of a part inside a folded part.
type Heading string

// HTML returns the heading.
func (h Heading) HTML() (template.HTML, error) { return execute("heading", string(h)) }

// List shows sentences, one below the other; "nothing yet" if there is none.
type List []string

// HTML returns the list.
func (l List) HTML() (template.HTML, error) { return execute("list", []string(l)) }

// Facts are names and values.
type Facts []Fact

// HTML returns the facts.
func (f Facts) HTML() (template.HTML, error) { return execute("facts", []Fact(f)) }

// Lines is text with its own line ends and spaces, such as a configuration.
type Lines string

// HTML returns the text.
func (l Lines) HTML() (template.HTML, error) { return execute("pre", string(l)) }

// Folded holds parts that the reader can open. On paper they are open.
type Folded struct {
	// ID is an anchor that opens them; "" is none.
	ID, Title string
	// Mark is a coloured word next to the title; "" is none.
	Mark  Mark
	Parts []Part
}

// HTML returns the parts below their title.
func (f Folded) HTML() (template.HTML, error) { return execute("folded", f) }

// Links are links beside each other.
type Links []Link

// HTML returns the links.
func (l Links) HTML() (template.HTML, error) { return execute("links", []Link(l)) }

// Mark is a word in the colour of its tone, such as a verdict.
type Mark struct {
	Text string
	Tone Tone
}

// HTML returns the mark in a paragraph of its own.
func (m Mark) HTML() (template.HTML, error) { return execute("mark", m) }

// Tone is the meaning of a mark, shown by its colour. The word says the same.
type Tone string

// The tones.
const (
	Quiet Tone = ""
	Good  Tone = "good"
	Bad   Tone = "bad"
	Warn  Tone = "warn"
)

// Beside shows parts side by side if there is room.
type Beside []Part

// HTML returns the parts in columns.
func (b Beside) HTML() (template.HTML, error) { return execute("beside", []Part(b)) }
