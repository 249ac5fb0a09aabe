#!/usr/bin/env python3
"""Compares `headroom encode` with transformers over tiny random models of every family, settings varied.

    python3 compare_encode.py HEADROOM [--out FOLDER]

Prints for each setting max|a - b| / max|b| over the SPLADE vectors of a few texts. Run it once with each version of
transformers; docs/backbones.md has the table. Every model is made, saved and computed by the version that runs.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CONFIG_MAPPING, AutoModelForMaskedLM, PreTrainedTokenizerFast

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(60)]
TEXTS = ["w1 w2 w3", "w4", "", "w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20", "w1 [PAD] w2 w1", "w59 unknown w0"]

POST = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=36, max_position_embeddings=40)
BASE = {
    "bert": POST,
    "roberta": POST | dict(pad_token_id=0),
    "electra": POST | dict(embedding_size=16),
    "distilbert": dict(dim=24, n_layers=2, n_heads=3, hidden_dim=36, max_position_embeddings=40),
    "modernbert": POST | dict(pad_token_id=0, local_attention=8, num_hidden_layers=4, hidden_size=24),
}
COMMON = {"as it is": {}, "untied": dict(tie_word_embeddings=False)}
ACTIVATIONS = {f"activation {a}": a for a in ("relu", "silu", "gelu_new", "gelu_pytorch_tanh")}
VARIED = {
    family: COMMON
    | {name: {"hidden_act": a} for name, a in ACTIVATIONS.items()}
    | {"eps 1e-3": dict(layer_norm_eps=1e-3), "one token type": dict(type_vocab_size=1), "6 heads": dict(num_attention_heads=6)}
    for family in ("bert", "roberta", "electra")
}
VARIED["roberta"] |= {"pad 7": dict(pad_token_id=7)}
VARIED["electra"] |= {"equal widths": dict(embedding_size=24), "wider embeddings": dict(embedding_size=30)}
VARIED["distilbert"] = COMMON | {name: {"activation": a} for name, a in ACTIVATIONS.items()} | {
    "sinusoidal positions": dict(sinusoidal_pos_embds=True), "6 heads": dict(n_heads=6)}
VARIED["modernbert"] = COMMON | {name: {"hidden_activation": a} for name, a in ACTIVATIONS.items()} | {
    "head relu": dict(classifier_activation="relu"), "eps 1e-3": dict(norm_eps=1e-3),
    "all biases": dict(norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True),
    "no decoder bias": dict(decoder_bias=False), "window 3": dict(local_attention=3), "window 128": dict(local_attention=128),
    "thetas 500, 20": dict(global_rope_theta=500.0, local_rope_theta=20.0), "global every 2": dict(global_attn_every_n_layers=2),
}
# Keys taken out of the written config.json: both sides take the default, so models are made with it.
LEFT_OUT = {
    "bert": ["layer_norm_eps", "type_vocab_size", "hidden_act", "hidden_dropout_prob", "pad_token_id", "initializer_range"],
    "roberta": ["layer_norm_eps", "type_vocab_size", "hidden_act"],
    "electra": ["layer_norm_eps", "type_vocab_size", "hidden_act"],
    "distilbert": ["activation", "dropout", "pad_token_id"],
    "modernbert": ["norm_eps", "hidden_activation", "layer_types", "rope_parameters", "global_rope_theta", "local_rope_theta",
                   "global_attn_every_n_layers", "norm_bias", "decoder_bias", "classifier_activation"],
}


def tokenizer(pad):
    words = WORDS.copy()
    words[0], words[pad] = words[pad], words[0]
    t = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    t.add_special_tokens(WORDS[:5])
    cls, sep = t.token_to_id("[CLS]"), t.token_to_id("[SEP]")
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    return PreTrainedTokenizerFast(tokenizer_object=t, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
                                   mask_token="[MASK]", model_input_names=["input_ids", "attention_mask"])


def compare(headroom, folder, family, settings, left_out=()):
    config = CONFIG_MAPPING[family](**(BASE[family] | settings), vocab_size=len(WORDS))
    torch.manual_seed(len(folder.name))
    model = AutoModelForMaskedLM.from_config(config)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * (0.3 if p.ndim > 1 else 0.2) + (1 if p.ndim == 1 and p.mean() > 0.5 else 0))
    model.save_pretrained(folder)
    path = folder / "config.json"
    written = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in written.items() if k not in left_out}))
    t = tokenizer(config.pad_token_id or 0)
    t.save_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder).eval()
    lines = [json.dumps({"_id": str(i), "text": text}) for i, text in enumerate(TEXTS)]
    (folder / "texts.jsonl").write_text("\n".join(lines) + "\n")
    run = subprocess.run([headroom, "encode", folder, "--input", folder / "texts.jsonl", "--output", "-", "--backend", "go", "--quiet"],
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    worst = 0.0
    for text, line in zip(TEXTS, run.stdout.splitlines(), strict=True):
        with torch.no_grad():
            want = torch.log1p(torch.relu(model(**t(text, return_tensors="pt")).logits)).amax(1)[0]
        got = torch.zeros_like(want)
        for term, weight in json.loads(line)["vector"].items():
            got[int(term)] = weight
        worst = max(worst, float((got - want).abs().max() / want.abs().max()))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("headroom", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    root = args.out or Path(tempfile.mkdtemp())
    print("transformers", transformers.__version__)
    for family, settings in VARIED.items():
        cases = [(name, s, ()) for name, s in settings.items()] + [(f"without {key}", {}, (key,)) for key in LEFT_OUT[family]]
        for name, s, left_out in cases:
            folder = root / f"{family} {name}"
            folder.mkdir(parents=True, exist_ok=True)
            print(f"{family}\t{name}\t{compare(args.headroom.resolve(), folder, family, s, left_out):.1e}", flush=True)


if __name__ == "__main__":
    main()
