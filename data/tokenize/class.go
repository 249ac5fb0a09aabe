package tokenize

import (
	"cmp"
	"encoding/json/v2"
	"fmt"
	"maps"
	"reflect"
)

// changes holds the changes to a tokenizer.json. A nil or zero field leaves its part as it is.
type changes struct {
	normalizer    *bertRules // of BERT's normalizer
	accents       *bool      // strip_accents, as written in the file
	noNormalizer  bool
	lower         bool // lower-case before the normalizer
	preTokenizer  string
	postProcessor string
	wordPiece     string // the unknown token; the rest is BERT's
	byteLevel     bool   // no unknown token, merges only
	added         []addedJSON
	side          string
	parts         []string // the names of the parts that change
}

// changes returns the changes that a folder's files make to a tokenizer.
func (s *settings) changes(t *Tokenizer, k kind) changes {
	var c changes
	roles := s.roles(k, t.has)
	start := t.added
	if k != kindGeneral {
		start = nil
	}
	list := s.join(t.vocabulary, start, t.added, roles)
	if !sameTokens(list.tokens, t.added) {
		c.added = list.tokens
		if list.foreign { // no notice for the special tokens that the class itself has
			c.parts = append(c.parts, "its added tokens are joined with those of the files beside it")
		}
	}
	for _, moved := range list.moved {
		c.parts = append(c.parts, fmt.Sprintf("the added token %q gets the id %d, not %d: ids of tokens that the model lacks follow on its own", moved.Content, list.tokens[list.index(moved.Content)].ID, moved.ID))
	}
	id := func(key string) int32 { // -1 if there is no such token
		if i := list.index(roles[key].Content); i >= 0 {
			return int32(list.tokens[i].ID)
		}
		return -1
	}
	switch k {
	case kindBERT:
		c.addBERT(s, t, roles, id)
	case kindRoBERTa:
		c.addRoBERTa(s, t, roles, id)
	default:
		if l := t.splitters.level; l != nil && s.prefix != l.prefix {
			c.parts = append(c.parts, fmt.Sprintf("its add_prefix_space %v counts, as in transformers 5; 4 took %v, tokenizer_config.json's", l.prefix, s.prefix))
		}
	}
	if s.left != nil && *s.left != t.left {
		c.side = "Right"
		if *s.left {
			c.side = "Left"
		}
		c.parts = append(c.parts, fmt.Sprintf("texts are cut as truncation_side %q of tokenizer_config.json says", c.side))
	}
	return c
}

// addBERT adds the changes that BertTokenizer makes.
func (c *changes) addBERT(s *settings, t *Tokenizer, roles map[string]addedJSON, id func(string) int32) {
	rules := bertRules{clean: true, chinese: s.chinese, accents: s.lower, lower: s.lower}
	if s.accents != nil {
		rules.accents = *s.accents
	}
	if t.normalizer.bert == nil || len(t.normalizer.steps) != 1 || *t.normalizer.bert != rules {
		c.normalizer, c.accents = &rules, s.accents
		c.parts = append(c.parts, fmt.Sprintf("its normalizer is replaced by that of tokenizer_class %q (do_lower_case %v, strip_accents %v, tokenize_chinese_chars %v)", s.className("BertTokenizer"), rules.lower, rules.accents, rules.chinese))
	}
	if !t.splitters.bert || len(t.splitters.splitters) != 2 {
		c.preTokenizer = `{"type":"BertPreTokenizer"}`
		c.parts = append(c.parts, "its pre_tokenizer is replaced by BERT's")
	}
	if w := t.wordPiece; w == nil || w.prefix != "##" || w.maxChars != 100 || w.unknown != id("unk_token") && id("unk_token") >= 0 {
		c.wordPiece = roles["unk_token"].Content
		c.parts = append(c.parts, "its unk_token, continuing_subword_prefix and max_input_chars_per_word are replaced by those of BERT and tokenizer_config.json")
	}
	c.frame(t, roles, id)
}

// addRoBERTa adds the changes that RobertaTokenizer makes.
func (c *changes) addRoBERTa(s *settings, t *Tokenizer, roles map[string]addedJSON, id func(string) int32) {
	if len(t.normalizer.steps) > 0 {
		c.noNormalizer = true
		c.parts = append(c.parts, "its normalizer is left out, as RobertaTokenizer does")
	}
	if l := t.splitters.level; l == nil || len(t.splitters.splitters) != 1 || !l.pattern || l.prefix != s.prefix {
		c.preTokenizer = fmt.Sprintf(`{"type":"ByteLevel","add_prefix_space":%v,"trim_offsets":true,"use_regex":true}`, s.prefix)
		c.parts = append(c.parts, fmt.Sprintf("its pre_tokenizer is replaced by RoBERTa's (add_prefix_space %v)", s.prefix))
	}
	if b := t.bpe; b == nil || b.unknown >= 0 || b.whole != nil {
		c.byteLevel = true
		c.parts = append(c.parts, "its unk_token and ignore_merges are left out, as RobertaTokenizer does")
	}
	c.frame(t, roles, id)
}

// frame puts the class's special tokens around a text.
func (c *changes) frame(t *Tokenizer, roles map[string]addedJSON, id func(string) int32) {
	cls, sep := id("cls_token"), id("sep_token")
	if cls < 0 || sep < 0 { // the class has no tokens to put around a text: the file's own template stays
		return
	}
	if reflect.DeepEqual(t.template.before, []int32{cls}) && reflect.DeepEqual(t.template.after, []int32{sep}) {
		return
	}
	pair := func(content string, id int32) string {
		text, _ := json.Marshal([]any{content, id}) // cannot fail for a text and a number
		return string(text)
	}
	c.postProcessor = fmt.Sprintf(`{"type":"BertProcessing","sep":%s,"cls":%s}`, pair(roles["sep_token"].Content, sep), pair(roles["cls_token"].Content, cls))
	c.parts = append(c.parts, fmt.Sprintf("texts are put between %q and %q, as its tokenizer_class does", roles["cls_token"].Content, roles["sep_token"].Content))
}

func (s *settings) className(otherwise string) string {
	return cmp.Or(s.class, otherwise)
}

// defaultRoles returns the special tokens that a class has by default.
func defaultRoles(k kind) map[string]string {
	switch k {
	case kindBERT:
		return map[string]string{"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}
	case kindRoBERTa:
		return map[string]string{"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
	}
	return nil
}

// roles returns the special tokens with a role: those that the files name, else those of the class that the vocabulary
// has.
func (s *settings) roles(k kind, has func(content string) bool) map[string]addedJSON {
	roles := map[string]addedJSON{}
	for key, content := range defaultRoles(k) {
		if has(content) {
			roles[key] = addedJSON{Content: content, Special: true}
		}
	}
	maps.Copy(roles, s.named)
	return roles
}

// has reports whether there is such a token.
func (t *Tokenizer) has(content string) bool {
	_, ok := t.vocabulary.ids[content]
	return ok
}

// setRoles gives the tokens their roles.
func (t *Tokenizer) setRoles(roles map[string]addedJSON) {
	t.roles = map[string]string{}
	for key, id := range map[string]*int32{
		"cls_token": &t.special.CLS, "sep_token": &t.special.SEP, "pad_token": &t.special.PAD, "mask_token": &t.special.MASK, "unk_token": nil,
	} {
		token, ok := roles[key]
		if !ok {
			continue
		}
		t.roles[key] = token.Content
		if known, ok := t.vocabulary.ids[token.Content]; ok && id != nil {
			*id = known
		}
	}
}

func sameTokens(a, b []addedJSON) bool {
	if len(a) != len(b) {
		return false
	}
	known := make(map[addedJSON]bool, len(a))
	for _, t := range a {
		known[t] = true
	}
	for _, t := range b {
		if !known[t] {
			return false
		}
	}
	return true
}

// lowers reports, by the rule of sentence-transformers, whether the normalizer lower-cases a text.
func (c changes) lowers(t *Tokenizer) bool {
	if c.normalizer != nil {
		return c.normalizer.lower
	}
	return t.normalizer.lowers && !c.noNormalizer
}

// index is a token's place in the list.
func (l *tokenList) index(content string) int {
	for i, t := range l.tokens {
		if t.Content == content {
			return i
		}
	}
	return -1
}
