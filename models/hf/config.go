package hf

import (
	"encoding/json"
	"fmt"
	"slices"

	"headroom/models/family"
)

// The activation functions that a config may name. Spellings that mean the same function are read as one of these.
const (
	GELU     = "gelu"     // exact, with erf; also "gelu_python"
	GELUTanh = "gelu_new" // the tanh approximation; also "gelu_pytorch_tanh", "gelu_python_tanh"
	ReLU     = "relu"
	SiLU     = "silu" // also "swish"
)

// Config is a config.json, checked and with the differences of spelling between families removed.
type Config struct {
	ModelType string // a name of package family

	Vocab        int // rows of the input embeddings and of the decoder
	Embedding    int // columns of both; ELECTRA's may differ from Hidden, in all other families it is Hidden
	Hidden       int
	Layers       int
	Heads        int // divides Hidden
	Intermediate int
	Positions    int // longest text; rows of the position table, of which RoBERTa wastes PadID+1. Rotary: no table
	TypeVocab    int // rows of the token type table; 0: the family has none
	PadID        int // -1: none given. RoBERTa numbers positions from PadID+1

	NormEps        float64 // of every LayerNorm
	Activation     string  // of the feed-forward blocks: GELU, GELUTanh, ReLU or SiLU
	HeadActivation string  // of the MLM head's transform

	EmbeddingDropout float64 // after the embeddings' LayerNorm
	HiddenDropout    float64 // after each attention and feed-forward output; Rotary: after attention only
	AttentionDropout float64 // on attention probabilities
	MLPDropout       float64 // Rotary: inside the feed-forward block, before its last matrix; 0 elsewhere

	TieWordEmbeddings bool    // what the file says; what a checkpoint's tensors show is Checkpoint.Tied
	InitStd           float64 // initializer_range: standard deviation of new weights

	// Rotary graphs only; zero elsewhere.
	LocalAttention int     // whole window: a local layer sees LocalAttention/2 positions to each side, inclusive
	GlobalTheta    float64 // RoPE base of the global layers
	LocalTheta     float64 // RoPE base of the local layers
	LayerGlobal    []bool  // per layer: attends to the whole text?

	// Which biases exist. All true but for Rotary graphs.
	NormBias, AttentionBias, MLPBias, ClassifierBias, DecoderBias bool

	// Unread are the keys of the file that are neither obeyed nor known to leave the vectors alone, ascending.
	Unread []string
	// Half is the half-precision type that the file asks for, in which transformers 5 would compute; "" is none.
	Half string
	// Raw is the config.json as read. Save keeps what this package does not know.
	Raw json.RawMessage
}

// family returns the table's entry, or the zero Family, which has no parameters, if the table lacks the name.
func (c Config) family() family.Family {
	f, err := family.ByName(c.ModelType)
	if err != nil {
		return family.Family{}
	}
	return f
}

// Graph says which encoder the model has.
func (c Config) Graph() family.Graph { return c.family().Graph }

// Names are the parameters' names by role.
func (c Config) Names() family.Params { return c.family().Params }

// PositionsAfterPad reports whether positions are numbered from PadID+1 and padding tokens are not counted.
func (c Config) PositionsAfterPad() bool { return c.family().PositionsAfterPad }

// HeadDim is the width of one attention head.
func (c Config) HeadDim() int { return c.Hidden / c.Heads }

// MaxTokens is the longest input in tokens, special ones included.
func (c Config) MaxTokens() int { return c.family().MaxTokens(c.Positions, c.PadID) }

// ParseConfig reads a config.json. name stands for the file in messages. A key that transformers has a default for
// may be left out, the sizes of the layers excepted. The error lists every fault with file, field and what is allowed.
func ParseConfig(name string, data []byte) (Config, error) {
	f, err := readFields(name, data)
	if err != nil {
		return Config{}, err
	}
	c := Config{Raw: append(json.RawMessage(nil), data...)}
	if c.ModelType = f.word("model_type"); c.ModelType != "" {
		fam, err := family.ByName(c.ModelType)
		if err != nil {
			f.fault("model_type", fmt.Sprintf("%q is not a known model", c.ModelType), "one of "+family.Names())
			return Config{}, f.err()
		}
		c.read(f, fam)
	}
	if err := f.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

func (c *Config) read(f *fields, fam family.Family) {
	f.mergeAliases(fam.Keys.Aliases)
	c.readShape(f, fam)
	c.readCommon(f, fam)
	switch fam.Graph {
	case family.PostNorm:
		c.readPostNorm(f, fam)
	case family.Rotary:
		c.readRotary(f, fam)
	default:
		f.fault("model_type", fmt.Sprintf("%q has no graph", fam.Name), "a family with one")
	}
	c.refuseWhatChangesScores(f)
	c.Half = f.half()
	c.Unread = f.unreadKeys(slices.Concat(harmless(), fam.Keys.Harmless))
}

// refuseWhatChangesScores records a fault for every key, of any family, that would change the vectors and is not obeyed.
func (c *Config) refuseWhatChangesScores(f *fields) {
	f.refuse("quantization_config", "quantized weights are not read")
	f.refuse("auto_map", "the model brings its own code, which is not run")
	f.refuse("per_layer_config", "layers of different settings are not supported")
	f.requireFalse("is_decoder")
	f.requireFalse("is_causal") // transformers 5 then masks later tokens; 4 ignores the key
	f.requireFalse("is_encoder_decoder")
	f.requireFalse("add_cross_attention")
	f.refuseMembers("pruned_heads", "pruned heads are not supported")
}

// The bounds below are far above any real model of these families; they catch damage before it becomes an
// allocation.
const (
	maxVocab     = 1 << 24
	maxHidden    = 1 << 16
	maxLayers    = 1 << 10
	maxPositions = 1 << 22
	maxTypes     = 1 << 16
)

// readShape reads the sizes. Those of the layers must be there: transformers' defaults are those of BERT-base. They
// suit no other model, and nobody would notice a wrong number of heads.
func (c *Config) readShape(f *fields, fam family.Family) {
	k := fam.Keys
	c.Vocab = f.integer("vocab_size", 1, maxVocab)
	c.Hidden = f.integer(k.Hidden, 1, maxHidden)
	c.Layers = f.integer(k.Layers, 1, maxLayers)
	c.Heads = f.integer(k.Heads, 1, maxHidden)
	c.Intermediate = f.integer(k.Intermediate, 1, maxHidden*4)
	c.Positions = f.integerOr("max_position_embeddings", fam.Defaults.Positions, 1, maxPositions)
	c.Embedding = c.Hidden
	if k.Embedding != "" {
		c.Embedding = f.integerOr(k.Embedding, fam.Defaults.Embedding, 1, maxHidden)
	}
	f.checkHeads(k.Hidden, c.Hidden, k.Heads, c.Heads)
}

// readCommon reads what every family has, under whatever key.
func (c *Config) readCommon(f *fields, fam family.Family) {
	k, d := fam.Keys, fam.Defaults
	c.NormEps = d.NormEps
	if k.NormEps != "" {
		c.NormEps = f.number(k.NormEps, d.NormEps, 1e-20, 0.1)
	}
	c.Activation = f.activation(k.Activation, GELU)
	switch c.HeadActivation = c.Activation; {
	case fam.HeadActivation != "":
		c.HeadActivation = fam.HeadActivation
	case k.HeadActivation != "":
		c.HeadActivation = f.activation(k.HeadActivation, GELU)
	}
	c.PadID = f.optionalID("pad_token_id", d.Pad)
	if c.Vocab > 0 && c.PadID >= c.Vocab {
		f.fault("pad_token_id", fmt.Sprintf("%d is not in the vocabulary", c.PadID), fmt.Sprintf("less than vocab_size %d", c.Vocab))
	}
	if fam.PositionsAfterPad {
		switch {
		case c.PadID < 0:
			f.fault("pad_token_id", "is null", "a token id: positions are counted from it")
		case c.Positions > 0 && c.MaxTokens() < 1:
			f.fault("max_position_embeddings", fmt.Sprintf("%d leaves no position after pad_token_id %d", c.Positions, c.PadID),
				"more than pad_token_id + 1")
		}
	}
	c.AttentionDropout = f.dropout(k.AttentionDropout, d.Dropout)
	c.TieWordEmbeddings = f.boolean("tie_word_embeddings", true)
	c.InitStd = f.number("initializer_range", 0.02, 0, 10)
}

// readPostNorm reads the keys that only BERT and its descendants have.
func (c *Config) readPostNorm(f *fields, fam family.Family) {
	if key := fam.Keys.TypeVocab; key != "" {
		c.TypeVocab = f.integerOr(key, fam.Defaults.TypeVocab, 1, maxTypes)
	}
	c.HiddenDropout = f.dropout(fam.Keys.HiddenDropout, fam.Defaults.Dropout)
	c.EmbeddingDropout = c.HiddenDropout
	f.requireValue("position_embedding_type", "absolute")
	c.NormBias, c.AttentionBias, c.MLPBias, c.ClassifierBias, c.DecoderBias = true, true, true, true, true
}
