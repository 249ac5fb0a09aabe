package tokenize

import (
	"encoding/json/jsontext"
	"strings"
	"unicode/utf8"
)

// splitter cuts a text into pieces, which may be empty, and calls a function with each.
type splitter func(text string, emit func(piece string))

// preTokenizers is the file's pre_tokenizer as the reader has built it.
type preTokenizers struct {
	splitters []splitter
	bert      bool           // set when BERT's is the only one
	level     *byteLevelSpec // set when the last one is ByteLevel
}

type byteLevelSpec struct{ prefix, pattern bool }

// split runs text through the splitters from the first on. Empty pieces are dropped after each.
func (p *preTokenizers) split(from int, text string, emit func(piece string)) {
	if text == "" {
		return
	}
	if from == len(p.splitters) {
		emit(text)
		return
	}
	p.splitters[from](text, func(piece string) { p.split(from+1, piece, emit) })
}

func (r *reader) readPreTokenizer(field string, value jsontext.Value, into *preTokenizers, depth int) error {
	if isNull(value) {
		return nil
	}
	kind, err := r.kindOf(field, value)
	if err != nil {
		return err
	}
	if into.level != nil && kind != "Sequence" {
		return r.fault(field, "nothing may follow ByteLevel")
	}
	add := func(s splitter) { into.splitters = append(into.splitters, s) }
	simple := func() error { return r.decode(field, value, new(struct{ typed })) }
	switch kind {
	case "Sequence":
		var parts struct {
			typed
			PreTokenizers []jsontext.Value `json:"pretokenizers"`
		}
		if err := r.decode(field, value, &parts); err != nil {
			return err
		}
		if depth == maxNesting {
			return r.fault(field, "sequences are nested deeper than %d", maxNesting)
		}
		for i, part := range parts.PreTokenizers {
			if err := r.readPreTokenizer(element(field+".pretokenizers", i), part, into, depth+1); err != nil {
				return err
			}
		}
		if len(into.splitters) > maxSteps {
			return r.fault(field, "has more than %d pre-tokenizers", maxSteps)
		}
		return nil
	case "BertPreTokenizer":
		into.bert = true
		add(r.classes.delimited(classSpace, behaviorRemoved))
		add(r.classes.delimited(classPunctuation, behaviorIsolated))
		return simple()
	case "WhitespaceSplit":
		add(r.classes.delimited(classSpace, behaviorRemoved))
		return simple()
	case "Whitespace":
		add(r.classes.wordRuns)
		return simple()
	case "Punctuation":
		var spec struct {
			typed
			Behavior string `json:"behavior"`
		}
		if err := r.decode(field, value, &spec); err != nil {
			return err
		}
		switch spec.Behavior {
		case "":
			spec.Behavior = behaviorIsolated
		case behaviorIsolated, behaviorRemoved, behaviorContiguous:
		default:
			return r.fault(field+".behavior", "%q is not implemented; known: %s, %s, %s", spec.Behavior,
				behaviorContiguous, behaviorIsolated, behaviorRemoved)
		}
		add(r.classes.delimited(classPunctuation, spec.Behavior))
		return nil
	case "Digits":
		var spec struct {
			typed
			Individual bool `json:"individual_digits"`
		}
		if err := r.decode(field, value, &spec); err != nil {
			return err
		}
		behavior := behaviorContiguous
		if spec.Individual {
			behavior = behaviorIsolated
		}
		add(r.classes.delimited(classDigit, behavior))
		return nil
	case "ByteLevel":
		var spec struct {
			typed
			Prefix  *bool `json:"add_prefix_space"`
			Trim    bool  `json:"trim_offsets"` // not used: this package returns no offsets
			Pattern *bool `json:"use_regex"`
		}
		if err := r.decode(field, value, &spec); err != nil {
			return err
		}
		if spec.Prefix == nil {
			return r.fault(field+".add_prefix_space", "must be true or false")
		}
		into.level = &byteLevelSpec{prefix: *spec.Prefix, pattern: spec.Pattern == nil || *spec.Pattern}
		add(into.level.splitter(r.classes))
		return nil
	}
	return r.unknown(field, kind, "BertPreTokenizer", "ByteLevel", "Digits", "Punctuation", "Sequence", "Whitespace",
		"WhitespaceSplit")
}

const (
	behaviorRemoved    = "Removed"    // delimiters are dropped
	behaviorIsolated   = "Isolated"   // each delimiter is a piece
	behaviorContiguous = "Contiguous" // each run of delimiters is a piece
)

// delimited cuts at the code points of a class.
func (c *classes) delimited(set class, behavior string) splitter {
	return func(text string, emit func(string)) {
		begin, wasDelimiter := 0, false
		for i, r := range text {
			isDelimiter := c.is(r, set)
			if i > begin && (isDelimiter != wasDelimiter || isDelimiter && behavior != behaviorContiguous) {
				if !wasDelimiter || behavior != behaviorRemoved {
					emit(text[begin:i])
				}
				begin = i
			}
			wasDelimiter = isDelimiter
		}
		if begin < len(text) && (!wasDelimiter || behavior != behaviorRemoved) {
			emit(text[begin:])
		}
	}
}

// wordRuns emits runs of word characters, and runs of characters that are neither word characters nor white space.
func (c *classes) wordRuns(text string, emit func(string)) {
	kind := func(r rune) class { return c.classOf(r) & (classWord | classSpace) }
	for len(text) > 0 {
		r, _ := utf8.DecodeRuneInString(text)
		first := kind(r)
		end := strings.IndexFunc(text, func(r rune) bool { return kind(r) != first })
		if end < 0 {
			end = len(text)
		}
		if first&classSpace == 0 {
			emit(text[:end])
		}
		text = text[end:]
	}
}
