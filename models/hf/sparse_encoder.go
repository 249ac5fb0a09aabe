package hf

import (
	"fmt"
	"os"
	"path/filepath"
)

// SparseEncoder holds the settings of vectors that sentence-transformers keeps in files around a transformer. Its
// settings of texts are read by data/tokenize.
type SparseEncoder struct {
	Modules []Module

	// Pooling ("max", "sum") and Activation ("relu" for log(1+ReLU), "log1p_relu" for log(1+log(1+ReLU))) are as
	// in SpladePooling's file; empty if the folder has no SpladePooling, a dense model for instance.
	Pooling, Activation string
	// MaxActive is the number of terms kept per text (max_active_dims); 0 is all.
	MaxActive int
	// TokenTopM is the number of logits that a token keeps before pooling (headroom_token_top_m, a key of ours which
	// sentence-transformers ignores); 0 is all.
	TokenTopM int
	// Similarity is how sentence-transformers compares the vectors: "dot" (also if nothing is said), "cosine",
	// "euclidean", "manhattan".
	Similarity string

	// Notices name the members of the files that are neither obeyed nor known to be harmless.
	Notices []string
}

// tokenTopMKey is in config_sentence_transformers.json: sentence-transformers has no such setting, and reads no key
// there that it does not know.
const tokenTopMKey = "headroom_token_top_m"

// maxTerms bounds max_active_dims: more than any vocabulary.
const maxTerms = 1 << 30

// readPooling reads the file of the SpladePooling module, if there is one.
func (se *SparseEncoder) readPooling(folder string) error {
	for _, m := range se.Modules {
		if m.class() != "SpladePooling" {
			continue
		}
		path := filepath.Join(folder, filepath.FromSlash(m.Path), "config.json")
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := readFields(path, text)
		if err != nil {
			return err
		}
		se.Pooling, se.Activation = "max", "relu" // as the class has it if the file says nothing
		if f.has("pooling_strategy") {
			se.Pooling = f.oneOf("pooling_strategy", "max", "sum")
		}
		if f.has("activation_function") {
			se.Activation = f.oneOf("activation_function", "relu", "log1p_relu")
		}
		se.noteUnread(f, "word_embedding_dimension", "embedding_dimension", "chunk_size")
		return f.err()
	}
	return nil
}

// readEncoder reads config_sentence_transformers.json, the settings of the encoder as a whole.
func (se *SparseEncoder) readEncoder(path string) error {
	f, err := readOptional(path)
	if err != nil {
		return err
	}
	if f.has("max_active_dims") {
		se.MaxActive = f.integer("max_active_dims", 1, maxTerms)
	}
	if f.has(tokenTopMKey) {
		se.TokenTopM = f.integer(tokenTopMKey, 1, maxTerms)
	}
	se.Similarity = "dot"
	if se.Pooling != "" {
		if f.has("similarity_fn_name") {
			se.Similarity = f.oneOf("similarity_fn_name", "dot", "cosine", "euclidean", "manhattan")
		}
		if f.has("model_type") {
			if got := f.word("model_type"); got != "SparseEncoder" && got != "" {
				f.fault("model_type", fmt.Sprintf("%q does not go with SpladePooling", got), `"SparseEncoder"`)
			}
		}
		se.noteUnread(f, "__version__", "default_prompt_name", "prompts", "requirements")
	}
	return f.err()
}

// noteUnread adds a notice of the members that are neither read nor harmless.
func (se *SparseEncoder) noteUnread(f *fields, harmless ...string) {
	if names := f.unreadKeys(harmless); len(names) > 0 {
		se.Notices = append(se.Notices, notObeyed(f.file, names))
	}
}
