package tokenize

import "slices"

// tokenList is the list of added tokens, with the rules of the reference library.
type tokenList struct {
	vocabulary *vocabulary
	tokens     []addedJSON
	byContent  map[string]int // index into tokens
	moved      []addedJSON    // tokens that got another id than their file says
	foreign    bool           // a file beside tokenizer.json added or changed a token
}

func newTokenList(v *vocabulary, start []addedJSON) *tokenList {
	l := &tokenList{vocabulary: v, tokens: slices.Clone(start), byContent: map[string]int{}}
	for i, t := range start {
		l.byContent[t.Content] = i
	}
	return l
}

func (l *tokenList) has(content string) bool {
	_, ok := l.byContent[content]
	return ok
}

// add adds a token. A token of the vocabulary keeps its id and gets the new flags. A new token gets the next id, or its
// own id if it comes from tokenizer.json.
func (l *tokenList) add(t addedJSON, own bool) {
	if t.Content == "" {
		return
	}
	said := t.ID
	if i, known := l.byContent[t.Content]; known {
		old := l.tokens[i]
		t.ID = old.ID
		if old.Special {
			t.Normalized = old.Normalized // the library still looks for the token as before
		}
		l.tokens[i] = t
	} else {
		if id, ok := l.vocabulary.ids[t.Content]; ok && !l.vocabulary.onlyAdded[t.Content] {
			t.ID = int64(id)
		} else if !own {
			t.ID = l.next()
		}
		l.byContent[t.Content] = len(l.tokens)
		l.tokens = append(l.tokens, t)
	}
	if said >= 0 && t.ID != said {
		l.moved = append(l.moved, addedJSON{Content: t.Content, ID: said})
	}
}

// next is the id after the model's tokens and all added ones.
func (l *tokenList) next() int64 {
	next := int64(l.vocabulary.model)
	for _, t := range l.tokens {
		next = max(next, t.ID+1)
	}
	return next
}

// join returns the added tokens of transformers 5. start are those that its tokenizer has by itself.
func (s *settings) join(v *vocabulary, start, inFile []addedJSON, roles map[string]addedJSON) *tokenList {
	l := newTokenList(v, start)
	listed := slices.Clone(s.listed)
	fromFile := map[string]bool{}
	if !s.hides {
		for _, t := range inFile {
			// The list of tokenizer.json wins over added_tokens.json if both have an id.
			listed = slices.DeleteFunc(listed, func(other addedJSON) bool { return other.ID == t.ID })
			listed, fromFile[t.Content] = append(listed, t), true
		}
		slices.SortStableFunc(listed, func(a, b addedJSON) int { return int(a.ID - b.ID) })
	}
	for _, t := range listed {
		if i, known := l.byContent[t.Content]; known {
			same := l.tokens[i]
			if same.ID = t.ID; same == t {
				continue
			}
		}
		l.foreign = l.foreign || !fromFile[t.Content]
		l.add(t, fromFile[t.Content])
	}
	for _, key := range roleKeys() {
		if t, ok := roles[key]; ok && !l.has(t.Content) {
			t.ID = -1
			l.add(t, false)
		}
	}
	for _, t := range s.own {
		if !l.has(t.Content) {
			t.ID, l.foreign = -1, true
			l.add(t, false)
		}
	}
	slices.SortStableFunc(l.tokens, func(a, b addedJSON) int { return int(a.ID - b.ID) })
	return l
}
