package tokenize

import "unicode/utf8"

// addedJSON is an added token as written in the file.
type addedJSON struct {
	ID         int64  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	Lstrip     bool   `json:"lstrip"`
	Rstrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// addedToken is matched in a text before any splitting.
type addedToken struct {
	pattern                    string
	id                         int32
	singleWord, lstrip, rstrip bool
}

// matcher finds added tokens: the leftmost match, and the longest of those that start at the same place.
type matcher struct {
	classes *classes
	tokens  []addedToken
	starts  [256]bool      // the first bytes of patterns
	trie    *trie          // pattern → index into tokens; nil without tokens
	second  [256][4]uint64 // for a first byte, the bytes that can follow it; all if a pattern ends there
}

// maxAdded bounds the length of an added token in bytes, and with it the time a text can take.
const maxAdded = 1024

func newMatcher(c *classes, tokens []addedToken) *matcher {
	m := &matcher{classes: c, tokens: tokens}
	if len(tokens) == 0 {
		return m
	}
	patterns := make([]trieKey, len(tokens))
	for i, t := range tokens {
		patterns[i] = trieKey{t.pattern, int32(i)}
		b := t.pattern[0]
		m.starts[b] = true
		if len(t.pattern) == 1 {
			m.second[b] = [4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
		} else {
			m.second[b][t.pattern[1]>>6] |= 1 << (t.pattern[1] & 63)
		}
	}
	m.trie = newTrie(patterns)
	return m
}

// at returns the longest added token that begins at text[i].
func (m *matcher) at(text string, i int) *addedToken {
	if i+1 < len(text) {
		if next := text[i+1]; m.second[text[i]][next>>6]>>(next&63)&1 == 0 {
			return nil
		}
	}
	if _, index := m.trie.longest(trieRoot, text[i:]); index >= 0 {
		return &m.tokens[index]
	}
	return nil
}

// split calls part with each part of text between added tokens, and then token with the added token that follows it.
// Parts may be empty. As in the reference library, a match inside white space that rstrip has consumed still counts,
// and the text after it is then encoded a second time.
func (m *matcher) split(text string, part func(text string) bool, token func(id int32) bool) bool {
	done, spaceEnd := 0, 0
	if m.trie != nil {
		for i := 0; i < len(text); i++ {
			if !m.starts[text[i]] {
				continue
			}
			t := m.at(text, i)
			if t == nil {
				continue
			}
			begin, end := i, i+len(t.pattern)
			i = end - 1
			if t.singleWord && (m.wordBefore(text[:begin]) || m.wordAfter(text[end:])) {
				continue
			}
			if t.lstrip && done < begin {
				begin = done + m.classes.trimRight(text[done:begin])
			}
			if t.rstrip {
				if end >= spaceEnd { // else the same run of white space is known to end there
					spaceEnd = end + m.classes.leadingSpace(text[end:])
				}
				end = spaceEnd
			}
			if done < begin && !part(text[done:begin]) || !token(t.id) {
				return false
			}
			done = end
		}
	}
	return done >= len(text) || part(text[done:])
}

func (m *matcher) wordBefore(text string) bool {
	r, size := utf8.DecodeLastRuneInString(text)
	return size > 0 && m.classes.is(r, classWord)
}

func (m *matcher) wordAfter(text string) bool {
	r, size := utf8.DecodeRuneInString(text)
	return size > 0 && m.classes.is(r, classWord)
}

// readAdded makes the two matchers: one for the text as it comes, one for normalized text.
func (r *reader) readAdded(added []addedJSON, v *vocabulary, n *normalizers) (plain, normalized *matcher, err error) {
	var lists [2][]addedToken
	var seen [2]map[string]string
	for i, a := range added {
		field := element("added_tokens", i)
		if a.Content == "" {
			return nil, nil, r.fault(field+".content", "must not be empty")
		}
		which, pattern := 0, a.Content
		if a.Normalized {
			which, pattern = 1, n.apply(a.Content)
		}
		if pattern == "" || len(pattern) > maxAdded {
			return nil, nil, r.fault(field+".content", "is %d bytes long after normalization; allowed: 1 … %d", len(pattern), maxAdded)
		}
		if other, twice := seen[which][pattern]; twice {
			return nil, nil, r.fault(field+".content", "%q cannot be told from %q", a.Content, other)
		}
		if seen[which] == nil {
			seen[which] = make(map[string]string, len(added))
		}
		seen[which][pattern] = a.Content
		lists[which] = append(lists[which], addedToken{
			pattern: pattern, id: v.ids[a.Content],
			singleWord: a.SingleWord, lstrip: a.Lstrip, rstrip: a.Rstrip,
		})
	}
	return newMatcher(r.classes, lists[0]), newMatcher(r.classes, lists[1]), nil
}
