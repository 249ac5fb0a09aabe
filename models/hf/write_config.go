package hf

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"headroom/models/family"
)

// JSON returns the config.json for a model with these values and float32 weights: Raw, with each field that differs
// from Raw written over it, tie_word_embeddings set as given, indented and sorted as transformers does it. The RoPE
// bases and the pattern of layers must be those of Raw.
func (c Config) JSON(tied bool) ([]byte, error) {
	was, err := ParseConfig("the model's config", c.Raw)
	if err != nil {
		return nil, fmt.Errorf("write config.json: %w", err)
	}
	values, err := members(c.Raw)
	if err != nil {
		return nil, fmt.Errorf("write config.json: %w", err)
	}
	for alias, key := range c.family().Keys.Aliases {
		if value, ok := values[alias]; ok {
			values[key] = value
			delete(values, alias)
		}
	}
	c.TieWordEmbeddings = tied
	before := was.scalars()
	for i, s := range c.scalars() {
		if before[i] != s {
			values[s.key] = json.RawMessage(s.value)
		}
	}
	if c.Graph() == family.Rotary {
		c.addOlderKeys(values)
	}
	values["tie_word_embeddings"] = json.RawMessage(strconv.FormatBool(tied))
	values["architectures"] = json.RawMessage(`["` + c.Architecture() + `"]`)
	values["dtype"] = json.RawMessage(`"float32"`)
	delete(values, "torch_dtype") // the older spelling; it would contradict if the source was half precision
	delete(values, "_name_or_path")
	out, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write config.json: %w", err)
	}
	out = append(out, '\n')

	// The file must read back as the same config.
	again, err := ParseConfig("the written config", out)
	if err != nil {
		return nil, fmt.Errorf("write config.json: %w", err)
	}
	again.Raw, c.Raw = nil, nil
	again.Half, c.Half = "", "" // float32 is what is written
	again.Unread, c.Unread = nil, nil
	if !reflect.DeepEqual(again, c) {
		return nil, fmt.Errorf("write config.json: a field differs from the config that was read and cannot be changed: have %+v, can write %+v", c, again)
	}
	return out, nil
}

// addOlderKeys adds to a config of transformers 5 the keys from which 4 reads thetas and layer types; 5 reads its own
// keys. A pattern of layers that the keys of 4 cannot express stays in the keys of 5 alone.
func (c Config) addOlderKeys(values map[string]json.RawMessage) {
	add := func(key, value string) {
		if v, ok := values[key]; !ok || string(v) == "null" {
			values[key] = json.RawMessage(value)
		}
	}
	add("local_attention", strconv.Itoa(c.LocalAttention))
	add("global_rope_theta", float(c.GlobalTheta))
	add("local_rope_theta", float(c.LocalTheta))
	every := len(c.LayerGlobal)
	for i := 1; i < len(c.LayerGlobal); i++ {
		if c.LayerGlobal[i] {
			every = i
			break
		}
	}
	for i, global := range c.LayerGlobal {
		if global != (i%every == 0) {
			return
		}
	}
	add("global_attn_every_n_layers", strconv.Itoa(every))
}

// Architecture is the name of transformers' class.
func (c Config) Architecture() string { return c.family().Class }

// scalar is one member of a config.json.
type scalar struct{ key, value string }

// scalars spells the fields in the family's keys, always in the same order. Thetas and layer types have two forms
// and are not among them.
func (c Config) scalars() []scalar {
	k := c.family().Keys
	pad := "null"
	if c.PadID >= 0 {
		pad = strconv.Itoa(c.PadID)
	}
	out := []scalar{
		{"vocab_size", strconv.Itoa(c.Vocab)},
		{"max_position_embeddings", strconv.Itoa(c.Positions)},
		{"initializer_range", float(c.InitStd)},
		{"pad_token_id", pad},
		{k.Hidden, strconv.Itoa(c.Hidden)},
		{k.Embedding, strconv.Itoa(c.Embedding)},
		{k.Layers, strconv.Itoa(c.Layers)},
		{k.Heads, strconv.Itoa(c.Heads)},
		{k.Intermediate, strconv.Itoa(c.Intermediate)},
		{k.TypeVocab, strconv.Itoa(c.TypeVocab)},
		{k.NormEps, float(c.NormEps)},
		{k.Activation, quote(c.Activation)},
		{k.HeadActivation, quote(c.HeadActivation)},
		{k.EmbeddingDropout, float(c.EmbeddingDropout)},
		{k.HiddenDropout, float(c.HiddenDropout)},
		{k.AttentionDropout, float(c.AttentionDropout)},
		{k.MLPDropout, float(c.MLPDropout)},
	}
	if c.Graph() == family.Rotary {
		out = append(out,
			scalar{"local_attention", strconv.Itoa(c.LocalAttention)},
			scalar{"norm_bias", strconv.FormatBool(c.NormBias)},
			scalar{"attention_bias", strconv.FormatBool(c.AttentionBias)},
			scalar{"mlp_bias", strconv.FormatBool(c.MLPBias)},
			scalar{"classifier_bias", strconv.FormatBool(c.ClassifierBias)},
			scalar{"decoder_bias", strconv.FormatBool(c.DecoderBias)},
		)
	}
	return slices.DeleteFunc(out, func(s scalar) bool { return s.key == "" }) // the family has no such key
}

// float writes a number that Python reads as a float: transformers refuses an int in a float's place.
func float(x float64) string {
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func quote(s string) string { return strconv.Quote(s) }

// Shape describes a new model for NewConfig.
type Shape struct {
	ModelType    string // one of family.New
	Vocab        int
	Hidden       int
	Layers       int
	Heads        int
	Intermediate int
	Positions    int
	Tie          bool    // decoder and input embeddings are one matrix
	InitStd      float64 // of new weights
	Dropout      float64 // each of the rates that the family has

	CLS, SEP, PAD int // token ids

	// Rotary graphs only.
	LocalAttention          int     // whole window
	GlobalEvery             int     // layers 0, GlobalEvery, 2·GlobalEvery, … attend to the whole text
	GlobalTheta, LocalTheta float64 // RoPE bases; 0: 160000 and 10000, as in ModernBERT
}

// NewConfig makes the config of a new model, in a form that transformers 4.48 and later load. It passes the same
// checks as a file.
func NewConfig(s Shape) (Config, error) {
	fam, err := family.ByName(s.ModelType)
	if err == nil && !fam.New {
		err = fmt.Errorf("%q is not a model that is made new (allowed: %s)", s.ModelType, strings.Join(family.New(), ", "))
	}
	if err != nil {
		return Config{}, fmt.Errorf("make config: %w", err)
	}
	c := Config{
		ModelType: s.ModelType, Vocab: s.Vocab, Embedding: s.Hidden, Hidden: s.Hidden, Layers: s.Layers, Heads: s.Heads,
		Intermediate: s.Intermediate, Positions: s.Positions, PadID: s.PAD, Activation: GELU, HeadActivation: GELU,
		TypeVocab: fam.Defaults.TypeVocab, NormEps: fam.Defaults.NormEps,
		EmbeddingDropout: s.Dropout, HiddenDropout: s.Dropout, AttentionDropout: s.Dropout, MLPDropout: s.Dropout,
		InitStd: s.InitStd,
	}
	extra := []scalar{
		{"model_type", quote(s.ModelType)},
		{"tie_word_embeddings", strconv.FormatBool(s.Tie)},
		{"dtype", quote("float32")},
	}
	switch fam.Graph {
	case family.PostNorm:
		extra = append(extra, scalar{"position_embedding_type", quote("absolute")})
	case family.Rotary:
		c.LocalAttention, c.DecoderBias = s.LocalAttention, true
		extra = append(extra,
			scalar{"global_attn_every_n_layers", strconv.Itoa(s.GlobalEvery)},
			scalar{"global_rope_theta", float(cmp.Or(s.GlobalTheta, defaultGlobalTheta))},
			scalar{"local_rope_theta", float(cmp.Or(s.LocalTheta, defaultLocalTheta))},
			scalar{"bos_token_id", strconv.Itoa(s.CLS)},
			scalar{"cls_token_id", strconv.Itoa(s.CLS)},
			scalar{"eos_token_id", strconv.Itoa(s.SEP)},
			scalar{"sep_token_id", strconv.Itoa(s.SEP)},
		)
	}
	all := append(c.scalars(), extra...)
	slices.SortFunc(all, func(a, b scalar) int { return strings.Compare(a.key, b.key) })
	var text strings.Builder
	fmt.Fprintf(&text, "{\n  \"architectures\": [\n    %q\n  ]", c.Architecture())
	for _, s := range all {
		fmt.Fprintf(&text, ",\n  %q: %s", s.key, s.value)
	}
	text.WriteString("\n}\n")
	return ParseConfig("the new model's config", []byte(text.String()))
}
