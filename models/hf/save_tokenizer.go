package hf

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// tokenizerFile holds the members of a tokenizer.json that are needed here.
type tokenizerFile struct {
	Added      []addedToken `json:"added_tokens"`
	Truncation *struct {
		Direction string `json:"direction"`
	} `json:"truncation"`
	PreTokenizer struct {
		Type   string `json:"type"`
		Prefix bool   `json:"add_prefix_space"`
	} `json:"pre_tokenizer"`
	Model struct {
		Type  string         `json:"type"`
		Vocab map[string]int `json:"vocab"`
	} `json:"model"`
}

type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	LStrip     bool   `json:"lstrip"`
	Normalized bool   `json:"normalized"`
	RStrip     bool   `json:"rstrip"`
	SingleWord bool   `json:"single_word"`
	Special    bool   `json:"special"`
}

// flags is an added token as tokenizer_config.json and special_tokens_map.json spell it.
type flags struct {
	Content    string `json:"content"`
	LStrip     bool   `json:"lstrip"`
	Normalized bool   `json:"normalized"`
	RStrip     bool   `json:"rstrip"`
	SingleWord bool   `json:"single_word"`
	Special    *bool  `json:"special,omitempty"`
}

func (a addedToken) flags(special *bool) flags {
	return flags{a.Content, a.LStrip, a.Normalized, a.RStrip, a.SingleWord, special}
}

// tokenizerFiles returns tokenizer.json and the files that are made from it.
func (m SaveModel) tokenizerFiles() ([]textFile, error) {
	if m.Tokenizer == nil {
		return nil, errors.New("tokenizer.json is not given")
	}
	var t tokenizerFile
	if err := json.Unmarshal(m.Tokenizer, &t); err != nil {
		return nil, fmt.Errorf("read tokenizer.json: %w", err)
	}
	if err := t.check(m.Config.Vocab); err != nil {
		return nil, err
	}
	roles := t.roles(m.SpecialTokens)
	special, err := specialTokensMap(roles)
	if err != nil {
		return nil, err
	}
	config, err := t.tokenizerConfig(m.Config, roles)
	if err != nil {
		return nil, err
	}
	files := []textFile{{"tokenizer.json", m.Tokenizer}, {"tokenizer_config.json", config}, {"special_tokens_map.json", special}}
	if vocab := t.vocabText(); vocab != nil {
		files = append(files, textFile{"vocab.txt", vocab})
	}
	return files, nil
}

// check refuses a tokenizer that would give ids without an embedding.
func (t tokenizerFile) check(vocab int) error {
	if len(t.Model.Vocab) == 0 {
		return fmt.Errorf("tokenizer.json has no vocabulary (model type %q)", t.Model.Type)
	}
	var faults []error
	checkID := func(token string, id int) {
		if id < 0 || id >= vocab {
			faults = append(faults, fmt.Errorf("tokenizer.json gives %q the id %d, the model has %d rows", token, id, vocab))
		}
	}
	for token, id := range t.Model.Vocab {
		checkID(token, id)
	}
	for _, a := range t.Added {
		checkID(a.Content, a.ID)
	}
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	const shown = 5
	if more := len(faults) - shown; more > 0 {
		faults = append(faults[:shown], fmt.Errorf("and %d tokens more", more))
	}
	return errors.Join(faults...)
}

// role is a special token that the vocabulary has.
type role struct {
	key   string // "cls_token"
	token addedToken
	plain bool // no flag is set, so that the text alone describes the token
}

// roles finds the special tokens: the given ones, and for other roles the tokens that the known families spell so.
func (t tokenizerFile) roles(given map[string]string) []role {
	var out []role
	for _, r := range [...][3]string{
		{"cls_token", "[CLS]", "<s>"},
		{"mask_token", "[MASK]", "<mask>"},
		{"pad_token", "[PAD]", "<pad>"},
		{"sep_token", "[SEP]", "</s>"},
		{"unk_token", "[UNK]", "<unk>"},
	} {
		spellings := r[1:]
		if content, ok := given[r[0]]; ok {
			spellings = []string{content}
		}
		for _, content := range spellings {
			if i := slices.IndexFunc(t.Added, func(a addedToken) bool { return a.Content == content }); i >= 0 {
				a := t.Added[i]
				out = append(out, role{r[0], a, !a.LStrip && !a.RStrip && !a.SingleWord && !a.Normalized})
				break
			}
			if id, ok := t.Model.Vocab[content]; ok {
				out = append(out, role{r[0], addedToken{ID: id, Content: content}, true})
				break
			}
		}
	}
	return out
}

func specialTokensMap(roles []role) ([]byte, error) {
	values := map[string]json.RawMessage{}
	for _, r := range roles {
		var value any = r.token.Content
		if !r.plain {
			value = r.token.flags(nil)
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		values[r.key] = text
	}
	return indented(values)
}

// tokenizerConfig names the class that takes tokenizer.json as it is: the family's own class would build its
// normalizer and splitter again and could differ from what the model was trained with.
func (t tokenizerFile) tokenizerConfig(c Config, roles []role) ([]byte, error) {
	added := map[string]flags{}
	for _, a := range t.Added {
		special := a.Special
		added[strconv.Itoa(a.ID)] = a.flags(&special)
	}
	inputs := []string{"input_ids", "attention_mask"}
	if c.family().TokenTypes {
		inputs = []string{"input_ids", "token_type_ids", "attention_mask"}
	}
	values := map[string]json.RawMessage{}
	said := map[string]any{
		"added_tokens_decoder":         added,
		"clean_up_tokenization_spaces": false,
		"model_input_names":            inputs,
		"model_max_length":             c.MaxTokens(),
		"tokenizer_class":              "PreTrainedTokenizerFast",
	}
	if t.Truncation != nil && t.Truncation.Direction == "Left" {
		said["truncation_side"] = "left"
	}
	if t.PreTokenizer.Type == "ByteLevel" && t.PreTokenizer.Prefix {
		said["add_prefix_space"] = true // transformers 4 takes it from here
	}
	for key, v := range said {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		values[key] = text
	}
	for _, r := range roles { // by text alone: the flags are in added_tokens_decoder
		text, err := json.Marshal(r.token.Content)
		if err != nil {
			return nil, err
		}
		values[r.key] = text
	}
	return indented(values)
}

// vocabText is WordPiece's vocab.txt, nil for other tokenizers and for ids that lines cannot express.
func (t tokenizerFile) vocabText() []byte {
	if t.Model.Type != "WordPiece" {
		return nil
	}
	lines := make([]string, len(t.Model.Vocab))
	seen := make([]bool, len(lines))
	for token, id := range t.Model.Vocab {
		if id < 0 || id >= len(lines) || seen[id] || strings.ContainsAny(token, "\n\r") {
			return nil
		}
		lines[id], seen[id] = token, true
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}
