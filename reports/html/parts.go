package html

import "html/template"

// Text is a paragraph.
type Text string

// HTML returns the paragraph.
func (t Text) HTML() (template.HTML, error) { return execute("text", string(t)) }

// Heading stands above a part inside a folded one.
type Heading string

// HTML returns the heading.
func (h Heading) HTML() (template.HTML, error) { return execute("heading", string(h)) }

// List is sentences below each other; "nothing yet" where there is none.
type List []string

// HTML returns the list.
func (l List) HTML() (template.HTML, error) { return execute("list", []string(l)) }

// Facts are names and values.
type Facts []Fact

// HTML returns the facts.
func (f Facts) HTML() (template.HTML, error) { return execute("facts", []Fact(f)) }

// Lines is text whose lines and spaces stay as they are, such as a configuration.
type Lines string

// HTML returns the text.
func (l Lines) HTML() (template.HTML, error) { return execute("pre", string(l)) }

// Folded is parts that the reader opens. On paper they are open.
type Folded struct {
	// ID is an anchor that opens them; "" is none.
	ID, Title string
	// Mark stands beside the title as a coloured word; "" is none.
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

// Tone says how a mark is meant. The colour repeats what the word says.
type Tone string

// The tones.
const (
	Quiet Tone = ""
	Good  Tone = "good"
	Bad   Tone = "bad"
	Warn  Tone = "warn"
)

// Beside are parts that stand beside each other where there is room.
type Beside []Part

// HTML returns the parts in columns.
func (b Beside) HTML() (template.HTML, error) { return execute("beside", []Part(b)) }
