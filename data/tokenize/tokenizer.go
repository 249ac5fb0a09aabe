// Package tokenize turns text into the token ids that a checkpoint was trained with.
//
// Open reads the tokenizer of a model folder from all its files, as transformers does; Load reads one file. Both read
// tokenizer.json files with a WordPiece or a byte-level BPE model. For every text a Tokenizer gives the ids that the
// reference library (Hugging Face tokenizers) gives for a single text with special tokens. A component that is not
// implemented is an error when the file is read, never an approximation. TrainWordPiece makes such a file from text.
//
// A Tokenizer never changes after it is made and may be used from many goroutines. Encoding takes time linear in the
// length of the text, whatever the text is.
package tokenize

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/v2"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
)

// Tokenizer encodes texts. Make one with Load, Parse or TrainWordPiece.
type Tokenizer struct {
	name       string // of the file, for messages
	file       []byte
	digest     string
	vocabulary *vocabulary
	special    Special
	added      []addedJSON
	left       bool // texts are cut at their beginning
	limit      int  // see MaxLength
	roles      map[string]string
	prompts    Prompts
	notes      []string // see Notices
	classes    *classes
	normalizer normalizers
	splitters  preTokenizers
	plain      *matcher // of added tokens in the text as given
	normalized *matcher // of added tokens in normalized text
	template   template
	wordPiece  *wordPiece // exactly one of the two models is set
	bpe        *bpe
	bert       *bertScanner // the fast path of BERT's normalizer and pre-tokenizer; nil elsewhere
	cache      *wordCache
	scratch    *sync.Pool // of *scratch
}

// Special holds the ids of the tokens with a role; -1 if the vocabulary has none.
type Special struct{ CLS, SEP, PAD, MASK, UNK int32 }

// maxFile bounds the size of a tokenizer.json, and with it the memory that a hostile one can take; real ones have 0.5
// to 20 MB.
const maxFile = 64 << 20

// Load reads a tokenizer.json.
func Load(path string) (*Tokenizer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %q: %w", path, err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("read tokenizer %q: has %d bytes, more than %d", path, info.Size(), maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %q: %w", path, err)
	}
	return Parse(path, data)
}

// Parse reads the bytes of a tokenizer.json; name stands for the file in messages. It keeps data, which must not be
// changed afterwards.
func Parse(name string, data []byte) (*Tokenizer, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("read tokenizer %q: has %d bytes, more than %d", name, len(data), maxFile)
	}
	r := &reader{name: name}
	var file fileJSON
	if err := json.Unmarshal(data, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, r.wrap("", err)
	}
	if file.Version != "" && file.Version != "1.0" {
		return nil, r.fault("version", "%q is not implemented; known: \"1.0\"", file.Version)
	}
	t := &Tokenizer{name: name, file: data, cache: new(wordCache)}
	sum := sha256.Sum256(data)
	t.digest = "sha256:" + hex.EncodeToString(sum[:])
	t.scratch = &sync.Pool{New: func() any { return new(scratch) }}
	if err := t.read(r, &file); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Tokenizer) read(r *reader, file *fileJSON) error {
	model, kind, err := r.readModel(file.Model)
	if err != nil {
		return err
	}
	if t.vocabulary, err = r.readVocabulary(model.Vocab, file.AddedTokens); err != nil {
		return err
	}
	t.added = file.AddedTokens
	t.classes = newClasses()
	r.classes, r.forms = t.classes, &forms{classes: t.classes}
	if err := r.readNormalizer("normalizer", file.Normalizer, &t.normalizer, 0); err != nil {
		return err
	}
	if err := r.readPreTokenizer("pre_tokenizer", file.PreTokenizer, &t.splitters, 0); err != nil {
		return err
	}
	if t.plain, t.normalized, err = r.readAdded(file.AddedTokens, t.vocabulary, &t.normalizer); err != nil {
		return err
	}
	if err := r.readTemplate("post_processor", file.PostProcessor, t.vocabulary, &t.template, 0); err != nil {
		return err
	}
	if t.left, err = r.readSide(file.Truncation); err != nil {
		return err
	}
	unknown := int32(-1)
	switch kind {
	case "WordPiece":
		if t.splitters.level != nil {
			return r.fault("pre_tokenizer", "ByteLevel does not go with a WordPiece model here")
		}
		if t.wordPiece, err = r.readWordPiece(model); err != nil {
			return err
		}
		unknown = t.wordPiece.unknown
		if t.normalizer.bert != nil && len(t.normalizer.steps) == 1 && t.splitters.bert && len(t.splitters.splitters) == 2 &&
			t.normalized.trie == nil {
			t.bert = newBertScanner(*t.normalizer.bert, r.classes, r.forms)
		}
	default:
		if t.splitters.level == nil {
			return r.fault("pre_tokenizer", "a BPE model is implemented with ByteLevel as the last pre-tokenizer only")
		}
		if t.bpe, err = r.readBPE(model); err != nil {
			return err
		}
		unknown = t.bpe.unknown
	}
	if unknown < 0 {
		unknown = t.vocabulary.first("[UNK]", "<unk>")
	}
	t.special = Special{
		CLS: t.vocabulary.first("[CLS]", "<s>"), SEP: t.vocabulary.first("[SEP]", "</s>"),
		PAD: t.vocabulary.first("[PAD]", "<pad>"), MASK: t.vocabulary.first("[MASK]", "<mask>"), UNK: unknown,
	}
	return nil
}

// VocabSize is one more than the highest id: the number of rows that a model's embeddings must have at least.
func (t *Tokenizer) VocabSize() int { return len(t.vocabulary.tokens) }

// ID returns the id of a token as the vocabulary writes it.
func (t *Tokenizer) ID(token string) (int32, bool) {
	id, ok := t.vocabulary.ids[token]
	return id, ok
}

// Tokens returns the tokens of ids as the vocabulary writes them, "" for an id that it does not have.
func (t *Tokenizer) Tokens(ids []int32) []string {
	tokens := make([]string, len(ids))
	for i, id := range ids {
		if id >= 0 && int(id) < len(t.vocabulary.tokens) {
			tokens[i] = t.vocabulary.tokens[id]
		}
	}
	return tokens
}

// Special returns the ids of the tokens with a role.
func (t *Tokenizer) Special() Special { return t.special }

// CutsLeft reports whether the beginning of a text that is too long is cut off, and not its end.
func (t *Tokenizer) CutsLeft() bool { return t.left }

// Roles returns special tokens by their key in tokenizer_config.json ("pad_token"), from the folder's files and class.
func (t *Tokenizer) Roles() map[string]string { return maps.Clone(t.roles) }

// MaxLength is the number of tokens that the folder's files allow for a text, special ones included; 0 if they do not say.
func (t *Tokenizer) MaxLength() int { return t.limit }

// Notices tell which settings of the folder's files were not used as written: parts of tokenizer.json that another file
// replaces, and unknown keys.
func (t *Tokenizer) Notices() []string { return slices.Clone(t.notes) }

// Digest identifies the file: "sha256:" and 64 hexadecimal digits. If other files of a folder change tokenizer.json,
// it is the digest of the changed one, which Bytes returns.
func (t *Tokenizer) Digest() string { return t.digest }

// Bytes returns the tokenizer.json as it was read or made. For a folder it has the settings of all its files that affect ids.
func (t *Tokenizer) Bytes() []byte { return slices.Clone(t.file) }
