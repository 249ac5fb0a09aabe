package sweeps

import "strings"

const (
	// maxNesting is the largest depth of brackets and braces inside each other.
	maxNesting = 16
	// maxParts bounds the parts of one dotted key.
	maxParts = 16
)

// tooDeep reports whether a text nests so deeply that the time to read it would grow
// with a power of its length. It only counts brackets outside strings and comments;
// the reader finds every other fault.
func tooDeep(text string) bool {
	depth, dots := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'':
			i = skipString(text, i)
		case '#':
			if end := strings.IndexByte(text[i:], '\n'); end >= 0 {
				i += end - 1
			} else {
				return false
			}
		case '[', '{':
			depth++
			dots = 0
		case ']', '}':
			depth = max(0, depth-1)
			dots = 0
		case ',', '=', '\n':
			dots = 0
		case '.':
			dots++
		}
		if depth > maxNesting || dots > maxParts {
			return true
		}
	}
	return false
}

// skipString returns the place of the last byte of the string that begins at i,
// or of the text if it does not end.
func skipString(text string, i int) int {
	mark := text[i : i+1]
	if strings.HasPrefix(text[i:], mark+mark+mark) {
		mark = text[i : i+3]
	}
	for j := i + len(mark); j < len(text); j++ {
		switch {
		case text[j] == '\\' && mark[0] == '"':
			j++
		case text[j] == '\n' && len(mark) == 1:
			return j - 1 // not closed: a fault that the reader reports
		case strings.HasPrefix(text[j:], mark):
			return j + len(mark) - 1
		}
	}
	return len(text)
}
