package hf

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The model types that this package knows.
const (
	BERT       = "bert"
	DistilBERT = "distilbert"
	RoBERTa    = "roberta"
	ModernBERT = "modernbert"
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
	ModelType string // BERT, DistilBERT, RoBERTa or ModernBERT

	Vocab        int // rows of the input embeddings and of the decoder
	Hidden       int
	Layers       int
	Heads        int // divides Hidden
	Intermediate int
	Positions    int // longest text; rows of the position table, of which RoBERTa wastes PadID+1. ModernBERT: no table
	TypeVocab    int // rows of the token type table; 0: the family has none (DistilBERT, ModernBERT)
	PadID        int // -1: none given. RoBERTa numbers positions from PadID+1

	NormEps        float64 // of every LayerNorm
	Activation     string  // of the feed-forward blocks: GELU, GELUTanh, ReLU or SiLU
	HeadActivation string  // of the MLM head's transform; RoBERTa: always GELU

	EmbeddingDropout float64 // after the embeddings' LayerNorm
	HiddenDropout    float64 // after each attention and feed-forward output; ModernBERT: after attention only
	AttentionDropout float64 // on attention probabilities
	MLPDropout       float64 // ModernBERT: inside the feed-forward block, before its last matrix; 0 elsewhere

	TieWordEmbeddings bool    // what the file says; what a checkpoint's tensors show is Checkpoint.Tied
	InitStd           float64 // initializer_range: standard deviation of new weights

	// ModernBERT only; zero elsewhere.
	LocalAttention int     // whole window: a local layer sees LocalAttention/2 positions to each side, inclusive
	GlobalTheta    float64 // RoPE base of the global layers
	LocalTheta     float64 // RoPE base of the local layers
	LayerGlobal    []bool  // per layer: attends to the whole text?

	// Which biases exist. All true but for ModernBERT.
	NormBias, AttentionBias, MLPBias, ClassifierBias, DecoderBias bool

	// Raw is the config.json as read. Save keeps what this package does not know.
	Raw json.RawMessage
}

// HeadDim is the width of one attention head.
func (c Config) HeadDim() int { return c.Hidden / c.Heads }

// MaxTokens is the longest input in tokens, special ones included.
func (c Config) MaxTokens() int {
	if c.ModelType == RoBERTa {
		return c.Positions - c.PadID - 1
	}
	return c.Positions
}

// ParseConfig reads a config.json. name stands for the file in messages. The error lists every fault with file,
// field and what is allowed.
func ParseConfig(name string, data []byte) (Config, error) {
	f, err := readFields(name, data)
	if err != nil {
		return Config{}, err
	}
	c := Config{Raw: append(json.RawMessage(nil), data...)}
	c.ModelType = f.word("model_type")
	switch c.ModelType {
	case BERT, RoBERTa:
		c.readBERT(f)
	case DistilBERT:
		c.readDistilBERT(f)
	case ModernBERT:
		c.readModernBERT(f)
	case "":
		// word has recorded why.
	default:
		f.fault("model_type", fmt.Sprintf("%q is not a known model", c.ModelType), "one of "+knownModels())
	}
	f.refuse("quantization_config", "quantized weights are not read")
	f.refuse("auto_map", "the model brings its own code, which is not run")
	if err := f.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

func knownModels() string {
	return strings.Join([]string{BERT, DistilBERT, RoBERTa, ModernBERT}, ", ")
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

// readShape reads the sizes that all families but DistilBERT call by the same names.
func (c *Config) readShape(f *fields) {
	c.Vocab = f.integer("vocab_size", 1, maxVocab)
	c.Hidden = f.integer("hidden_size", 1, maxHidden)
	c.Layers = f.integer("num_hidden_layers", 1, maxLayers)
	c.Heads = f.integer("num_attention_heads", 1, maxHidden)
	c.Intermediate = f.integer("intermediate_size", 1, maxHidden*4)
	c.Positions = f.integer("max_position_embeddings", 1, maxPositions)
}

// readBERT reads BERT's and RoBERTa's fields.
func (c *Config) readBERT(f *fields) {
	c.readShape(f)
	c.TypeVocab = f.integer("type_vocab_size", 1, maxTypes)
	c.NormEps = f.number("layer_norm_eps", required, 1e-20, 0.1)
	c.Activation = f.activation("hidden_act", "")
	c.HeadActivation = c.Activation
	c.HiddenDropout = f.dropout("hidden_dropout_prob", 0.1)
	c.EmbeddingDropout = c.HiddenDropout
	c.AttentionDropout = f.dropout("attention_probs_dropout_prob", 0.1)
	c.readCommon(f, map[string]int{BERT: 0, RoBERTa: 1}[c.ModelType])
	f.checkHeads("hidden_size", c.Hidden, "num_attention_heads", c.Heads)
	f.requireValue("position_embedding_type", "absolute")
	f.requireFalse("is_decoder")
	f.requireFalse("add_cross_attention")
	if c.ModelType == RoBERTa {
		c.HeadActivation = GELU
		switch {
		case c.PadID < 0:
			f.fault("pad_token_id", "is null", "a token id: RoBERTa counts positions from it")
		case c.Positions <= c.PadID+1:
			f.fault("max_position_embeddings", fmt.Sprintf("%d leaves no position after pad_token_id %d", c.Positions, c.PadID),
				"more than pad_token_id + 1")
		}
	}
	c.allBiases()
}

func (c *Config) readDistilBERT(f *fields) {
	c.Vocab = f.integer("vocab_size", 1, maxVocab)
	c.Hidden = f.integer("dim", 1, maxHidden)
	c.Layers = f.integer("n_layers", 1, maxLayers)
	c.Heads = f.integer("n_heads", 1, maxHidden)
	c.Intermediate = f.integer("hidden_dim", 1, maxHidden*4)
	c.Positions = f.integer("max_position_embeddings", 1, maxPositions)
	c.NormEps = 1e-12 // fixed in the architecture, not in the file
	c.Activation = f.activation("activation", "")
	c.HeadActivation = c.Activation
	c.HiddenDropout = f.dropout("dropout", 0.1)
	c.EmbeddingDropout = c.HiddenDropout
	c.AttentionDropout = f.dropout("attention_dropout", 0.1)
	c.readCommon(f, 0)
	f.checkHeads("dim", c.Hidden, "n_heads", c.Heads)
	c.allBiases()
}

// readCommon reads what every family spells alike. Where transformers leaves a field out of the file because it has
// its default, so may we.
func (c *Config) readCommon(f *fields, pad int) {
	c.PadID = f.optionalID("pad_token_id", pad)
	if c.Vocab > 0 && c.PadID >= c.Vocab {
		f.fault("pad_token_id", fmt.Sprintf("%d is not in the vocabulary", c.PadID), fmt.Sprintf("less than vocab_size %d", c.Vocab))
	}
	c.TieWordEmbeddings = f.boolean("tie_word_embeddings", true)
	c.InitStd = f.number("initializer_range", 0.02, 0, 10)
}

func (c *Config) allBiases() {
	c.NormBias, c.AttentionBias, c.MLPBias, c.ClassifierBias, c.DecoderBias = true, true, true, true, true
}
