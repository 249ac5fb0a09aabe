"""Makes folders.json: model folders whose files disagree, and the ids that sentence-transformers gives for texts.

`make reference` runs it with the versions that are pinned there and writes folders-5.json (transformers
5.23.0 and sentence-transformers 6.2.0; 5.24.0 gives the same). By hand, with transformers 4.57.3 and
sentence-transformers 5.1.2, it writes folders-4.json. Both write folders.json, the cases as files that change a base.

    python folders_reference.py [FILE [NAME OF A CASE…]]
"""

import copy
import json
import logging
import os
import sys
import tempfile
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = [
    "", "Paris caf\u00e9", "don't Tokenize  the HEART attack", "\u4e2d\u6587 \u00c5ngstr\u00f6m", "a [MASK] b<mask>c [TITLE] d",
    "  tok spaced \n", "orbitzzz Orbitzzz <|x|> tok", "one two three four five six seven eight nine ten eleven twelve",
]


def load(name):
    with open(os.path.join(HERE, "reference", name), encoding="utf-8") as file:
        return json.load(file)


def token(content, **flags):
    base = {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    base.update(flags)
    return base


def bases():
    word = load("wordpiece.json")
    bert_config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True,
                   "model_max_length": 12, "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]", "unk_token": "[UNK]"}
    bpe = load("bpe.json")
    names = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>", "[UNK]": "<unk>"}
    roberta = copy.deepcopy(bpe)
    vocab, added = roberta["model"]["vocab"], []
    size = len(vocab)
    for old, new in names.items():
        vocab[new] = size
        added.append({"id": size, **token(new, lstrip=new == "<mask>", normalized=False)})
        size += 1
    roberta["added_tokens"] = added
    roberta["normalizer"] = None
    roberta["post_processor"] = {"type": "RobertaProcessing", "sep": ["</s>", vocab["</s>"]], "cls": ["<s>", vocab["<s>"]], "trim_offsets": True, "add_prefix_space": False}
    roberta_config = {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False, "model_max_length": 12, "bos_token": "<s>", "eos_token": "</s>",
                      "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": token("<mask>", lstrip=True, **{"__type": "AddedToken"})}
    modern_config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 12, "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]", "unk_token": "[UNK]"}
    return {
        "bert": {"model_type": "bert", "tokenizer": word, "config": bert_config},
        "roberta": {"model_type": "roberta", "tokenizer": roberta, "config": roberta_config},
        "modernbert": {"model_type": "modernbert", "tokenizer": bpe, "config": modern_config},
    }


def cases():
    """[name, base, changes of tokenizer.json, changes of tokenizer_config.json, other files]; a null removes."""
    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
    title = {"439": token("[TITLE]"), "440": token("orbitzzz", normalized=True, special=False)}
    fast = {"tokenizer_class": "PreTrainedTokenizerFast"}
    lower = {"type": "Lowercase"}
    left = {"direction": "Left", "max_length": 6, "strategy": "LongestFirst", "stride": 0}
    modules = json.dumps([
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.sparse_encoder.models.MLMTransformer"},
        {"idx": 1, "name": "1", "path": "1_SpladePooling", "type": "sentence_transformers.sparse_encoder.models.SpladePooling"}])
    pooling = {"modules.json": modules, "config_sentence_transformers.json": '{"model_type": "SparseEncoder", "__version__": {"sentence_transformers": "5.0.0"}}', "1_SpladePooling/config.json": '{"pooling_strategy": "max", "activation_function": "relu", "word_embedding_dimension": 480}'}
    prompts = lambda default, **named: {**pooling, "config_sentence_transformers.json": json.dumps(
        {"model_type": "SparseEncoder", "__version__": {"sentence_transformers": "5.0.0"}, "prompts": named, "default_prompt_name": default})}
    st = lambda **keys: {**pooling, "sentence_bert_config.json": json.dumps(keys)}
    return [
        ["bert plain", "bert", {}, {}, {}],
        ["bert class fast", "bert", {}, {"tokenizer_class": "BertTokenizerFast"}, {}],
        ["bert without a class", "bert", {}, {"tokenizer_class": None}, {}],
        ["bert without tokenizer_config", "bert", {}, None, {}],
        ["bert without tokenizer_config, cased", "bert", {"normalizer": {**bert, "lowercase": False}}, None, {}],
        ["distilbert class", "bert", {}, {"tokenizer_class": "DistilBertTokenizer"}, {}],
        ["electra class", "bert", {}, {"tokenizer_class": "ElectraTokenizer"}, {}],
        ["unheard-of class", "bert", {"normalizer": {**bert, "lowercase": False}}, {"tokenizer_class": "NovelTokenizer"}, {}],
        ["lower case wanted, file keeps case", "bert", {"normalizer": {**bert, "lowercase": False}}, {}, {}],
        ["case wanted, file lowers", "bert", {}, {"do_lower_case": False}, {}],
        ["accents kept by the config", "bert", {}, {"strip_accents": False}, {}],
        ["accents stripped of cased text", "bert", {}, {"do_lower_case": False, "strip_accents": True}, {}],
        ["accents kept by the file", "bert", {"normalizer": {**bert, "strip_accents": False}}, {}, {}],
        ["Chinese not parted", "bert", {}, {"tokenize_chinese_chars": False}, {}],
        ["text not cleaned by the file", "bert", {"normalizer": {**bert, "clean_text": False}}, {}, {}],
        ["clean_text in the config", "bert", {}, {"clean_text": False}, {}],
        ["another normalizer", "bert", {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFD"}, lower, {"type": "StripAccents"}]}}, {}, {}],
        ["no normalizer", "bert", {"normalizer": None}, {}, {}],
        ["another pre-tokenizer", "bert", {"pre_tokenizer": {"type": "WhitespaceSplit"}}, {}, {}],
        ["short words only", "bert", {"model.max_input_chars_per_word": 4}, {}, {}],
        ["another template", "bert", {"post_processor": {"type": "BertProcessing", "sep": ["[MASK]", 4], "cls": ["[CLS]", 2]}}, {}, {}],
        ["no template", "bert", {"post_processor": None}, {}, {}],
        ["cls and sep changed", "bert", {}, {"cls_token": "[SEP]", "sep_token": "[CLS]"}, {}],
        ["unknown token changed", "bert", {}, {"unk_token": "[MASK]"}, {}],
        ["flags with the general class", "bert", {}, {**fast, "do_lower_case": False, "strip_accents": False}, {}],
        ["general class, unknown token changed", "bert", {}, {**fast, "unk_token": "[MASK]"}, {}],
        ["added_tokens.json", "bert", {}, {}, {"added_tokens.json": '{"[TITLE]": 439, "orbitzzz": 440}'}],
        ["added_tokens.json, general class", "bert", {}, fast, {"added_tokens.json": '{"[TITLE]": 439, "orbitzzz": 440}'}],
        ["added_tokens_decoder", "bert", {}, {"added_tokens_decoder": title}, {}],
        ["added_tokens_decoder, general class", "bert", {}, {**fast, "added_tokens_decoder": title}, {}],
        ["added_tokens_decoder and added_tokens.json", "bert", {}, {"added_tokens_decoder": {"439": title["439"]}}, {"added_tokens.json": '{"orbitzzz": 440}'}],
        ["added_tokens_decoder hides added tokens", "bert", {"added_tokens+": [{"id": 439, **token("[TITLE]")}]}, {"added_tokens_decoder": {"4": token("[MASK]")}}, {}],
        ["added_tokens_decoder with a gap", "bert", {}, {"added_tokens_decoder": {"445": token("[TITLE]")}}, {}],
        ["added_tokens_decoder of a word", "bert", {}, {"added_tokens_decoder": {"0": token("tok", normalized=True, special=False, single_word=True)}}, {}],
        ["added_tokens_decoder changes flags", "bert", {}, {**fast, "added_tokens_decoder": {"4": token("[MASK]", lstrip=True, rstrip=True)}}, {}],
        ["special_tokens_map.json", "bert", {}, {}, {"special_tokens_map.json": json.dumps({"additional_special_tokens": ["[TITLE]", "orbitzzz"]})}],
        ["special_tokens_map.json, general class", "bert", {}, fast, {"special_tokens_map.json": json.dumps({"additional_special_tokens": ["[TITLE]", "orbitzzz"]})}],
        ["special_tokens_map.json changes cls", "bert", {}, {}, {"special_tokens_map.json": json.dumps({"cls_token": "[SEP]"})}],
        ["special_tokens_map.json, mask strips", "bert", {}, {}, {"special_tokens_map.json": json.dumps({"mask_token": token("[MASK]", lstrip=True)})}],
        ["special_tokens_map.json beside a decoder", "bert", {}, {"added_tokens_decoder": {"4": token("[MASK]")}}, {"special_tokens_map.json": json.dumps({"additional_special_tokens": ["orbitzzz"]})}],
        ["additional_special_tokens", "bert", {}, {"additional_special_tokens": ["[TITLE]", "orbitzzz"]}, {}],
        ["extra_special_tokens", "bert", {}, {"extra_special_tokens": ["[TITLE]"]}, {}],
        ["extra_special_tokens by name", "bert", {}, {"extra_special_tokens": {"title_token": "[TITLE]"}}, {}],
        ["bos_token", "bert", {}, {"bos_token": "orbitzzz"}, {}],
        ["a token of its own name", "bert", {}, {"title_token": "[TITLE]"}, {}],
        ["special tokens not split", "bert", {}, {"split_special_tokens": True}, {}],
        ["cut on the left, config", "bert", {}, {"truncation_side": "left"}, {}],
        ["cut on the left, tokenizer.json", "bert", {"truncation": left}, {}, {}],
        ["cut on the left, general class", "bert", {"truncation": left}, fast, {}],
        ["left in tokenizer.json, right in the config", "bert", {"truncation": left}, {"truncation_side": "right"}, {}],
        ["padding in tokenizer.json", "bert", {"padding": {"strategy": {"Fixed": 20}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}}, {}, {}],
        ["max_seq_length", "bert", {}, {}, st(max_seq_length=7, do_lower_case=False)],
        ["max_seq_length above model_max_length", "bert", {}, {}, st(max_seq_length=16)],
        ["sentence_bert_config lowers", "bert", {"normalizer": {**bert, "lowercase": False}}, {"do_lower_case": False}, st(do_lower_case=True)],
        ["sentence_bert_config lowers, no normalizer", "bert", {"normalizer": None}, fast, st(do_lower_case=True)],
        ["sentence_bert_config lowers what is lowered", "bert", {}, {}, st(do_lower_case=True)],
        ["sentence_bert_config without modules", "bert", {}, {}, {"sentence_bert_config.json": '{"max_seq_length": 7}'}],
        ["no length anywhere", "bert", {}, {"model_max_length": None}, {}],
        ["vocab.txt only", "bert", None, {}, {"vocab.txt": True}],
        ["vocab.txt only, cased", "bert", None, {"do_lower_case": False}, {"vocab.txt": True}],
        ["vocab.txt only, flags", "bert", None, {"strip_accents": False, "tokenize_chinese_chars": False}, {"vocab.txt": True}],
        ["vocab.txt only, no config", "bert", None, None, {"vocab.txt": True}],
        ["vocab.txt only, added tokens", "bert", None, {"added_tokens_decoder": title}, {"vocab.txt": True}],
        ["vocab.txt only, added_tokens.json", "bert", None, {}, {"vocab.txt": True, "added_tokens.json": '{"[TITLE]": 439}'}],
        ["vocab.txt only, basic tokenizer off", "bert", None, {"do_basic_tokenize": False}, {"vocab.txt": True}],
        ["vocab.txt only, never split", "bert", None, {"never_split": ["orbitzzz"]}, {"vocab.txt": True}],
        ["vocab.txt only, general class", "bert", None, fast, {"vocab.txt": True}],
        ["prompts of both roles", "bert", {}, {}, prompts(None, query="tok: ", document="the [MASK] ")],
        ["prompt of queries is the default", "bert", {}, {}, prompts("query", query="heart: ", document="")],
        ["prompt of passages", "bert", {}, {}, prompts(None, query="a ", passage="tok ")],
        ["a default of another name", "bert", {}, {}, prompts("extra", extra="tok ")],
        ["no prompts", "bert", {}, {}, prompts(None)],
        ["a default that is not there", "bert", {}, {}, prompts("absent", query="a ")],
        ["roberta plain", "roberta", {}, {}, {}],
        ["roberta without a class", "roberta", {}, {"tokenizer_class": None}, {}],
        ["roberta prefix space in the config", "roberta", {}, {"add_prefix_space": True}, {}],
        ["roberta prefix space in the file", "roberta", {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}}, {}, {}],
        ["roberta with a normalizer", "roberta", {"normalizer": {"type": "Lowercase"}}, {}, {}],
        ["roberta with a template", "roberta", {"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}], "special_tokens": {"</s>": {"id": "</s>", "ids": [936], "tokens": ["</s>"]}}}}, {}, {}],
        ["roberta general class", "roberta", {"normalizer": {"type": "Lowercase"}}, fast, {}],
        ["roberta mask does not strip", "roberta", {}, {"mask_token": "<mask>"}, {"special_tokens_map.json": json.dumps({"mask_token": "<mask>"})}],
        ["roberta added token", "roberta", {}, {"added_tokens_decoder": {"938": token("<mask>", lstrip=True), "940": token("[TITLE]")}}, {}],
        ["roberta files only", "roberta", None, {}, {"vocab.json": True, "merges.txt": True}],
        ["modernbert plain", "modernbert", {}, {}, {}],
        ["modernbert class of BERT", "modernbert", {}, {"tokenizer_class": "BertTokenizer", "do_lower_case": True}, {}],
        ["modernbert without a class", "modernbert", {}, {"tokenizer_class": None}, {}],
        ["modernbert prefix space in the config", "modernbert", {}, {"add_prefix_space": True}, {}],
        ["modernbert prefix space in the file", "modernbert", {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}}, {}, {}],
        ["modernbert added token", "modernbert", {}, {"added_tokens_decoder": {"944": token("[TITLE]")}}, {}],
        ["modernbert left", "modernbert", {}, {"truncation_side": "left"}, {}],
    ]


def changed(spec, changes):
    spec = copy.deepcopy(spec)
    for path, value in changes.items():
        *parents, last = path.split(".")
        target = spec
        for parent in parents:
            target = target[parent]
        if last.endswith("+"):
            target[last[:-1]] = target[last[:-1]] + value
        else:
            target[last] = value
    return spec


def files(base, tokenizer, config, others):
    """The folder's files but weights, by name."""
    out = {"config.json": json.dumps({"model_type": base["model_type"]})}
    if tokenizer is not None:
        out["tokenizer.json"] = json.dumps(changed(base["tokenizer"], tokenizer), ensure_ascii=False)
    if config is not None:
        merged = {**base["config"], **config}
        merged = {k: v for k, v in merged.items() if not (v is None and k in config)}
        out["tokenizer_config.json"] = json.dumps(merged)
    vocab = base["tokenizer"]["model"]["vocab"]
    for name, text in others.items():
        if name == "vocab.txt":
            text = "".join(word + "\n" for word in sorted(vocab, key=vocab.get))
        elif name == "vocab.json":
            text = json.dumps(vocab, ensure_ascii=False)
        elif name == "merges.txt":
            text = "#version: 0.2\n" + "".join(pair + "\n" for pair in base["tokenizer"]["model"]["merges"])
        out[name] = text
    return out


def model_of(kind):
    """A tiny masked language model with room for every token of the cases."""
    import transformers

    torch_seed()
    if kind == "modernbert":
        config = transformers.ModernBertConfig(vocab_size=960, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, max_position_embeddings=24,
                                               pad_token_id=937, cls_token_id=935, sep_token_id=936, bos_token_id=935, eos_token_id=936)
        return transformers.ModernBertForMaskedLM(config)
    if kind == "roberta":
        config = transformers.RobertaConfig(vocab_size=960, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, max_position_embeddings=24, pad_token_id=1)
        return transformers.RobertaForMaskedLM(config)
    config = transformers.BertConfig(vocab_size=480, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, max_position_embeddings=24)
    return transformers.BertForMaskedLM(config)


def torch_seed():
    import torch

    torch.manual_seed(1)


def ids(folder):
    import sentence_transformers

    model = sentence_transformers.SparseEncoder(folder, device="cpu")
    tokens = getattr(model, "preprocess", None) or model.tokenize
    return [tokens([text])["input_ids"][0].tolist() for text in TEXTS]


def roles(folder):
    """The ids of the texts as queries, as documents and as neither, with the folder's prompts."""
    import sentence_transformers

    model = sentence_transformers.SparseEncoder(folder, device="cpu")
    seen = []
    forward = model.forward

    def record(features, **more):
        seen.append(features["input_ids"][0].tolist())
        return forward(features, **more)

    model.forward = record
    out = {}
    for name, encode in (("query", model.encode_query), ("document", model.encode_document), ("plain", model.encode)):
        seen.clear()
        for text in TEXTS:
            encode([text], batch_size=1, show_progress_bar=False)
        out[name] = list(seen)
    return out


def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    import sentence_transformers
    import transformers

    only = sys.argv[2:]
    result = []
    made = {}
    all_bases = bases()
    for name, kind, tokenizer, config, others in cases():
        if only and name not in only:
            continue
        base = all_bases[kind]
        with tempfile.TemporaryDirectory() as folder:
            if kind not in made:
                made[kind] = model_of(kind)
            made[kind].save_pretrained(folder)
            for file, text in files(base, tokenizer, config, others).items():
                if file == "config.json":
                    continue
                path = os.path.join(folder, file)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
            entry = {"name": name}
            try:
                entry["ids"] = ids(folder)
                if "prompt" in name or "default" in name:
                    entry["roles"] = roles(folder)
            except Exception as error:  # what the library says is the value
                entry["error"] = (type(error).__name__ + ": " + str(error)).split("\n")[0].replace(folder, "FOLDER")[:200]
        result.append(entry)
        print(name, entry.get("error", "ok"))
    text = json.dumps({"transformers": transformers.__version__, "sentence_transformers": sentence_transformers.__version__, "texts": TEXTS,
                       "cases": "CASES"}, ensure_ascii=False)
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in result)
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "folders-%s.json" % transformers.__version__.split(".")[0])
    with open(path, "w", encoding="utf-8") as out:
        out.write(text.replace('"CASES"', "[\n" + lines + "\n]") + "\n")
    inputs = os.path.join(HERE, "folders.json")
    if not only:
        lines = ",\n".join(json.dumps({"name": n, "base": k, "tokenizer": t, "config": c, "files": f}, ensure_ascii=False, separators=(",", ":")) for n, k, t, c, f in cases())
        with open(inputs, "w", encoding="utf-8") as out:
            out.write(json.dumps({k: {"model_type": b["model_type"], "config": b["config"], "tokenizer": None if k != "roberta" else {p: b["tokenizer"][p] for p in ("added_tokens", "normalizer", "post_processor")}} for k, b in all_bases.items()})[:-1]
                      + ', "cases": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
