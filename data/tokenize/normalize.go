package tokenize

import (
	"encoding/json/jsontext"
	"strings"
	"unicode"
	"unicode/utf8"
)

// step is one normalizer: a pure function of text.
type step func(text string) string

// bertRules are the switches of BERT's normalizer, with strip_accents resolved to true or false.
type bertRules struct{ clean, chinese, accents, lower bool }

// normalizers is the file's normalizer as the reader has built it.
type normalizers struct {
	steps  []step
	bert   *bertRules // set when BERT's normalizer is the only one
	nfc    bool       // set when NFC is the only one
	lowers bool       // one of them lowers all letters
	grow   int        // bound on the factor by which Replace steps can lengthen a text
}

func (n *normalizers) apply(text string) string {
	for _, s := range n.steps {
		text = s(text)
	}
	return text
}

const (
	maxNesting = 8    // of Sequence components: real files have 2
	maxSteps   = 32   // normalizers, and pre-tokenizers: the work that a file can ask for per byte of text
	maxGrowth  = 64   // of a text by Replace steps
	maxContent = 1024 // bytes of text that a normalizer may put in
)

func (r *reader) readNormalizer(field string, value jsontext.Value, into *normalizers, depth int) error {
	if isNull(value) {
		return nil
	}
	kind, err := r.kindOf(field, value)
	if err != nil {
		return err
	}
	add := func(s step) { into.steps = append(into.steps, s) }
	simple := func() error { return r.decode(field, value, new(struct{ typed })) }
	switch kind {
	case "Sequence":
		var parts struct {
			typed
			Normalizers []jsontext.Value `json:"normalizers"`
		}
		if err := r.decode(field, value, &parts); err != nil {
			return err
		}
		if depth == maxNesting {
			return r.fault(field, "sequences are nested deeper than %d", maxNesting)
		}
		for i, part := range parts.Normalizers {
			if err := r.readNormalizer(element(field+".normalizers", i), part, into, depth+1); err != nil {
				return err
			}
		}
		if len(into.steps) > maxSteps {
			return r.fault(field, "has more than %d normalizers", maxSteps)
		}
		return nil
	case "BertNormalizer":
		var rules struct {
			typed
			Clean   *bool `json:"clean_text"`
			Chinese *bool `json:"handle_chinese_chars"`
			Accents *bool `json:"strip_accents"`
			Lower   *bool `json:"lowercase"`
		}
		if err := r.decode(field, value, &rules); err != nil {
			return err
		}
		if rules.Clean == nil || rules.Chinese == nil || rules.Lower == nil {
			return r.fault(field, "clean_text, handle_chinese_chars and lowercase must be true or false")
		}
		bert := bertRules{clean: *rules.Clean, chinese: *rules.Chinese, accents: *rules.Lower, lower: *rules.Lower}
		if rules.Accents != nil {
			bert.accents = *rules.Accents
		}
		into.bert, into.lowers = &bert, into.lowers || bert.lower
		add(bert.step(r.classes, r.forms))
		return nil
	case "NFC", "NFD", "NFKC", "NFKD":
		into.nfc = kind == "NFC"
		compatible, compose := strings.Contains(kind, "K"), strings.HasSuffix(kind, "C")
		if compose {
			r.forms.readPairs()
		}
		add(func(text string) string { return r.forms.normal(text, compatible, compose) })
		return simple()
	case "Lowercase":
		into.lowers = true
		add(lowercase)
		return simple()
	case "StripAccents":
		add(r.classes.dropping(classMark))
		return simple()
	case "Strip":
		var strip struct {
			typed
			Left  bool `json:"strip_left"`
			Right bool `json:"strip_right"`
		}
		add(func(text string) string {
			if strip.Right {
				text = text[:r.classes.trimRight(text)]
			}
			if strip.Left {
				text = text[r.classes.leadingSpace(text):]
			}
			return text
		})
		return r.decode(field, value, &strip)
	case "Prepend":
		var prepend struct {
			typed
			Prepend string `json:"prepend"`
		}
		add(func(text string) string {
			if text == "" {
				return text
			}
			return prepend.Prepend + text
		})
		if err := r.decode(field, value, &prepend); err != nil {
			return err
		}
		return r.checkContent(field+".prepend", prepend.Prepend)
	case "Replace":
		return r.readReplace(field, value, into)
	}
	return r.unknown(field, kind, "BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Prepend", "Replace",
		"Sequence", "Strip", "StripAccents")
}

func (r *reader) readReplace(field string, value jsontext.Value, into *normalizers) error {
	var replace struct {
		typed
		Pattern struct {
			String *string `json:"String"`
			Regex  *string `json:"Regex"`
		} `json:"pattern"`
		Content string `json:"content"`
	}
	if err := r.decode(field, value, &replace); err != nil {
		return err
	}
	if replace.Pattern.Regex != nil || replace.Pattern.String == nil {
		return r.fault(field+".pattern", "only a String pattern is known, not Regex")
	}
	old := *replace.Pattern.String
	if old == "" {
		return r.fault(field+".pattern.String", "must not be empty")
	}
	if err := r.checkContent(field+".content", replace.Content); err != nil {
		return err
	}
	into.grow = max(into.grow, 1) * max(1, (len(replace.Content)+len(old)-1)/len(old))
	if into.grow > maxGrowth {
		return r.fault(field, "the replacements make a text more than %d times longer", maxGrowth)
	}
	into.steps = append(into.steps, func(text string) string { return strings.ReplaceAll(text, old, replace.Content) })
	return nil
}

func (r *reader) checkContent(field, content string) error {
	if len(content) > maxContent {
		return r.fault(field, "has %d bytes, more than %d", len(content), maxContent)
	}
	return nil
}

// step is BERT's normalizer in the order of the reference: clean, Chinese, accents, case.
func (b bertRules) step(c *classes, f *forms) step {
	drop := c.dropping(classAccent)
	return func(text string) string {
		if b.clean || b.chinese {
			text = b.cleanText(c, text)
		}
		if b.accents {
			text = drop(f.normal(text, false, false))
		}
		if b.lower {
			text = lowercase(text)
		}
		return text
	}
}

func (b bertRules) cleanText(c *classes, text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for _, r := range text {
		set := c.classOf(r)
		if b.clean {
			if set&classControl != 0 {
				continue
			}
			if set&classSpace != 0 {
				r = ' '
			}
		}
		if b.chinese && set&classChinese != 0 {
			out.WriteByte(' ')
			out.WriteRune(r)
			out.WriteByte(' ')
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func (c *classes) dropping(set class) step {
	return func(text string) string {
		if isASCII(text) {
			return text
		}
		return strings.Map(func(r rune) rune {
			if c.is(r, set) {
				return -1
			}
			return r
		}, text)
	}
}

const dottedCapitalI = 'İ' // the only code point whose lower case is two: i and U+0307

// lowercase lowers each code point by itself; its neighbours do not matter (a final sigma is not special).
func lowercase(text string) string {
	if !strings.ContainsRune(text, dottedCapitalI) {
		return strings.Map(unicode.ToLower, text)
	}
	out := make([]byte, 0, len(text)+8)
	for _, r := range text {
		if r == dottedCapitalI {
			out = append(out, "i\u0307"...)
			continue
		}
		out = utf8.AppendRune(out, unicode.ToLower(r))
	}
	return string(out)
}
