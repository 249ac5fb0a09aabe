// Package family is the table of the backbone families: one file and one value each.
//
// Contract. A Family is plain data: how its config.json is spelt and what transformers takes for a key that is left
// out, under which names its files have the parameters, which other tensors they may have, and which graph it builds.
// The packages that plan, load, build and save models all ask this table; no other package compares names of families.
// Names are the lower-case words of config.json's model_type. For a name that is not in the table Of returns an error,
// never another family.
//
// To add a family with a known graph, write one file here, one line in all, and one case in internal/reference.
package family

import (
	"fmt"
	"path"
	"strings"
)

// all lists the families, in the order in which messages name them.
func all() []Family {
	return []Family{
		bert(),
		distilbert(),
		roberta(),
		electra(),
		modernbert(),
	}
}

// Graph is one of the encoders in package models.
type Graph int

const (
	PostNorm Graph = iota + 1 // BERT's: learned positions, a norm after each half of a layer
	Rotary                    // ModernBERT's: rotary positions, a norm before each half, windows, gated feed-forward
)

// Family describes one family.
type Family struct {
	Name  string // model_type
	Class string // of transformers, with the MLM head
	Graph Graph
	// New says that a pretraining recipe can make a model of it from nothing.
	New bool

	Keys     Keys
	Defaults Defaults
	Params   Params

	// PositionsAfterPad: positions are numbered from behind the padding id, and a padding token takes none.
	PositionsAfterPad bool
	// HeadActivation is the function in the MLM head if the architecture fixes it; empty if a key says it.
	HeadActivation string
	// TokenTypes: its tokenizer gives token_type_ids.
	TokenTypes bool

	// BareRoots are the first words of tensor names in a file that holds the encoder alone and leaves out Params.Prefix.
	BareRoots []string
	// Ignorable are patterns of names of tensors that a file may hold although they are no parameters of the masked
	// language model: heads of other tasks that pretraining leaves behind, buffers that old versions wrote. * stands
	// for any letters.
	Ignorable []string
}

// Keys are the spellings of config.json if they differ between families. An empty one means that the family has no
// such key.
type Keys struct {
	Hidden, Layers, Heads, Intermediate string
	Embedding                           string // width of the token embeddings; empty: as Hidden
	TypeVocab                           string
	NormEps                             string
	Activation                          string // of the feed-forward blocks
	HeadActivation                      string // empty: as Activation, or fixed by the family
	HiddenDropout, AttentionDropout     string
	EmbeddingDropout, MLPDropout        string // empty: as HiddenDropout; none
	// Aliases are second spellings that transformers takes for the first: alias to key.
	Aliases map[string]string
	// Harmless do not touch the vectors: keys of other tasks' heads, of losses, of implementations.
	Harmless []string
}

// Defaults are what transformers takes for a key that config.json lacks.
type Defaults struct {
	Positions int
	TypeVocab int // 0: no token types
	NormEps   float64
	Pad       int
	Dropout   float64 // each of the rates
	Embedding int     // if Keys.Embedding is set
}

// Params are the names of a family's parameters by role. Each but the last three stands before ".weight" and ".bias";
// those from Query on follow Layer. Empty: the family has no such parameter.
type Params struct {
	Prefix                string // of all that is not the head
	Word, Position, Types string
	EmbeddingNorm         string
	Project               string // embeddings to the layers' width; only if the two differ
	FinalNorm             string
	HeadDense, HeadNorm   string
	Layer                 string // with %d
	Query, Key, Value     string
	QueryKeyValue         string // the three as one
	Output, AttentionNorm string
	Up, Down, FeedNorm    string // Rotary: Up is the two halves of the gated block
	Decoder, DecoderBias  string // whole names
	SecondBias            string // the other name of the decoder's bias; if both are there this one counts
}

// ByName is the family of a model_type.
func ByName(name string) (Family, error) {
	for _, f := range all() {
		if f.Name == name {
			return f, nil
		}
	}
	return Family{}, fmt.Errorf("%q is not a known model (allowed: %s)", name, Names())
}

// Names lists the families for messages.
func Names() string {
	var names []string
	for _, f := range all() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// New are the names of the families that a recipe can make from nothing.
func New() []string {
	var names []string
	for _, f := range all() {
		if f.New {
			names = append(names, f.Name)
		}
	}
	return names
}

// MaxTokens is the longest text of a model with these positions and this padding id.
func (f Family) MaxTokens(positions, pad int) int {
	if f.PositionsAfterPad {
		return positions - f.FirstPosition(pad)
	}
	return positions
}

// FirstPosition is the row of the position table that a text's first token takes.
func (f Family) FirstPosition(pad int) int {
	if f.PositionsAfterPad {
		return pad + 1
	}
	return 0
}

// MayIgnore reports whether a tensor of this name may be in a file without being a parameter.
func (f Family) MayIgnore(tensor string) bool {
	for _, pattern := range f.Ignorable {
		if ok, err := path.Match(pattern, tensor); err == nil && ok {
			return true
		}
	}
	return false
}
