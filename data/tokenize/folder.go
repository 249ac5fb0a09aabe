package tokenize

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files returns the names of the files that Open reads, if they exist.
func Files() []string {
	return append([]string{"config.json", "modules.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", promptFile}, sentenceFiles()...)
}

// Open reads the tokenizer of a model folder as transformers 5 and sentence-transformers do, from config.json,
// tokenizer.json, tokenizer_config.json, special_tokens_map.json, added_tokens.json and sentence_bert_config.json. Where
// tokenizer.json is missing, BERT's is made from vocab.txt. The settings of the other files are written into the
// tokenizer.json that Bytes returns, so that it is complete. A path of a file is read as a tokenizer.json alone.
func Open(folder string) (*Tokenizer, error) {
	if isFile(folder) {
		return Load(folder)
	}
	if err := checkFiles(folder); err != nil {
		return nil, err
	}
	s, err := readSettings(folder)
	if err != nil {
		return nil, err
	}
	said, err := readSentence(folder)
	if err != nil {
		return nil, err
	}
	prompts, notices, err := readPrompts(folder)
	if err != nil {
		return nil, err
	}
	kind, err := s.kind(folder)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "tokenizer.json")
	t, err := Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		t, err = s.fromVocabulary(folder, kind)
	}
	if err != nil {
		return nil, err
	}
	if kind == kindBERT && t.wordPiece == nil || kind == kindRoBERTa && t.bpe == nil {
		return nil, (&reader{name: t.name}).fault("model", "does not go with the tokenizer_class %q; allowed there: WordPiece for BERT's, BPE for RoBERTa's", s.className("of config.json's model_type"))
	}
	c := s.changes(t, kind)
	switch {
	case said.lower && c.lowers(t):
		c.parts = append(c.parts, "its normalizer lower-cases already, so do_lower_case of sentence_bert_config.json does nothing more, as in sentence-transformers 6; 5 lower-cased special tokens in texts too")
	case said.lower:
		c.lower, c.parts = true, append(c.parts, "do_lower_case of sentence_bert_config.json lower-cases texts before the normalizer")
	}
	made, err := c.apply(t)
	if err != nil {
		return nil, err
	}
	if made.limit = said.limit; made.limit == 0 {
		made.limit = s.limit
	}
	made.prompts = prompts
	made.setRoles(s.roles(kind, made.has))
	made.notes = append(append(s.notes, said.notes...), notices...)
	for _, part := range c.parts {
		made.notes = append(made.notes, fmt.Sprintf("%s: %s", t.name, part))
	}
	return made, nil
}

// kind says how a tokenizer class uses a tokenizer.json.
type kind int

const (
	kindGeneral kind = iota // uses it as it is
	kindBERT                // uses its vocabulary and makes everything else itself
	kindRoBERTa             // the same
)

// kind finds the class as transformers 5 does: tokenizer_config.json, config.json's tokenizer_class, the model type.
func (s *settings) kind(folder string) (kind, error) {
	path := filepath.Join(folder, "config.json")
	keys, err := readObject(path)
	if err != nil {
		return 0, err
	}
	r := &reader{name: path}
	var model, class string
	for field, into := range map[string]*string{"model_type": &model, "tokenizer_class": &class} {
		if value := keys[field]; !isNull(value) {
			if err := r.decode(field, value, into); err != nil {
				return 0, err
			}
		}
	}
	if s.class == "" {
		s.class = strings.TrimSuffix(class, "Fast")
	}
	if model == "modernbert" {
		return kindGeneral, nil // whatever class the files name
	}
	if s.class == "" {
		switch model {
		case "bert", "distilbert", "electra":
			return kindBERT, nil
		case "roberta":
			return kindRoBERTa, nil
		}
		return kindGeneral, nil
	}
	switch s.class {
	case "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer":
		return kindBERT, nil
	case "RobertaTokenizer":
		return kindRoBERTa, nil
	case "PreTrainedTokenizer", "TokenizersBackend":
		return kindGeneral, nil
	}
	return 0, (&reader{name: s.path}).fault("tokenizer_class", "%q is not implemented; allowed: BertTokenizer, DistilBertTokenizer, ElectraTokenizer, RobertaTokenizer, each with Fast or without, and PreTrainedTokenizerFast, which takes tokenizer.json as it is", s.class)
}

// fromVocabulary makes the tokenizer.json that a folder lacks.
func (s *settings) fromVocabulary(folder string, k kind) (*Tokenizer, error) {
	path := filepath.Join(folder, "vocab.txt")
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read tokenizer of %q: there is no tokenizer.json, which holds the tokenizer, and no vocab.txt to make BERT's of; with transformers, AutoTokenizer.from_pretrained(%q).save_pretrained(FOLDER) writes it", folder, folder)
	case err != nil:
		return nil, fmt.Errorf("read tokenizer: %w", err)
	case k != kindBERT:
		return nil, fmt.Errorf("read tokenizer of %q: there is no tokenizer.json, and vocab.txt is BERT's only; tokenizer_class is %q, allowed: BertTokenizer, DistilBertTokenizer, ElectraTokenizer", folder, s.class)
	}
	s.notes = append(s.notes, fmt.Sprintf("%s: there is no tokenizer.json beside it; BERT's is made of it", path))
	return s.fromVocab(path, data)
}

// checkFiles refuses a folder in which a file that may be read is a device or a pipe, which would block its reader, or
// a link to nothing.
func checkFiles(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		if ext := filepath.Ext(path); ext != ".json" && ext != ".txt" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil { // of a link to nothing: its settings would be taken for defaults
			return fmt.Errorf("read tokenizer: %s is listed in its folder and cannot be read (allowed: a regular file): %w", path, err)
		}
		if !info.Mode().IsRegular() && !info.IsDir() {
			return fmt.Errorf("read %s: it is a pipe or a device (allowed: a regular file)", path)
		}
	}
	return nil
}
