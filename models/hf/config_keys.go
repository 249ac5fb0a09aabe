package hf

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// harmless lists the keys of any family's config.json that do not change the vectors: where a folder comes from, special
// tokens (the tokenizer has its own), labels and dropout of other tasks' heads, how attention is implemented, what a
// generating model would do.
func harmless() []string {
	return []string{
		"_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_name_or_path", "architectures",
		"attn_implementation", "chunk_size_feed_forward", "cross_attention_hidden_size", "experts_implementation",
		"finetuning_task", "gradient_checkpointing", "id2label", "label2id", "language", "name_or_path", "num_labels",
		"output_attentions", "output_hidden_states", "output_past", "problem_type", "return_dict", "sentence_transformers",
		"task_specific_params", "tf_legacy_loss", "tie_encoder_decoder", "tokenizer_class", "torchscript",
		"transformers_version", "use_bfloat16", "use_cache", "use_return_dict",

		"bos_token_id", "cls_token_id", "decoder_start_token_id", "eos_token_id", "mask_token_id", "sep_token_id", "unk_token_id",

		"bad_words_ids", "begin_suppress_tokens", "diversity_penalty", "do_sample", "early_stopping",
		"encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "forced_bos_token_id", "forced_eos_token_id",
		"length_penalty", "max_length", "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams",
		"num_return_sequences", "output_scores", "prefix", "remove_invalid_values", "repetition_penalty",
		"return_dict_in_generate", "suppress_tokens", "temperature", "top_k", "top_p", "typical_p",
	}
}

// notices returns one sentence for each kind of key that a config.json has and that is not obeyed.
func (c Config) notices(file string) []string {
	var out []string
	if len(c.Unread) > 0 {
		out = append(out, fmt.Sprintf("%s: %s: not known, so not obeyed; if one of these keys changes what the model computes, these vectors are not the model's",
			file, strings.Join(c.Unread, ", ")))
	}
	if c.Half != "" {
		out = append(out, fmt.Sprintf("%s: dtype %q: computed in float32 here, in %s by transformers 5, whose vectors differ by its rounding", file, c.Half, c.Half))
	}
	return out
}

// mergeAliases moves the value of each second spelling to the first one. Both may be there if their values agree.
func (f *fields) mergeAliases(aliases map[string]string) {
	for alias, key := range aliases {
		value, ok := f.values[alias]
		if !ok {
			continue
		}
		if first, both := f.values[key]; both && string(first) != string(value) {
			f.fault(alias, fmt.Sprintf("%s contradicts %s %s", shorten(value), key, shorten(first)), "one value")
		}
		f.values[key] = value
		delete(f.values, alias)
	}
}

// unreadKeys lists the members that no getter has read and that are not harmless, of this object and of the objects inside
// it that were read. A null is left out: it sets nothing.
func (f *fields) unreadKeys(harmless []string) []string {
	var names []string
	for name := range f.values {
		if !f.asked[name] && !slices.Contains(harmless, name) && f.has(name) {
			names = append(names, f.path+name)
		}
	}
	for _, inner := range f.inner {
		names = append(names, inner.unreadKeys(nil)...)
	}
	slices.Sort(names)
	return names
}

// half reads the half-precision type that transformers 5 would compute in, under its newer or its older key.
func (f *fields) half() string {
	var names [2]string
	for i, key := range []string{"dtype", "torch_dtype"} {
		if f.has(key) {
			names[i] = f.oneOf(key, "float32", "float16", "bfloat16", "float64", "auto")
		}
	}
	if name := cmp.Or(names[0], names[1]); name == "float16" || name == "bfloat16" {
		return name
	}
	return ""
}

// refuseMembers accepts only an absent field, null or an empty object.
func (f *fields) refuseMembers(field, why string) {
	if !f.has(field) {
		return
	}
	var members map[string]json.RawMessage
	if f.decode(field, "an object", &members) && len(members) > 0 {
		f.fault(field, why, "{}")
	}
}
