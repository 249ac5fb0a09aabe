#!/usr/bin/env python3
"""Loads folders that headroom saved in sentence-transformers and transformers and compares what they compute.

    python3 check_export.py FOLDER --texts TEXTS.jsonl --vectors VECTORS.jsonl [--tolerance 1e-4]
    python3 check_export.py FOLDER --ids reference.safetensors [--rescale K]
    python3 check_export.py FOLDER

With texts ({"_id", "title"?, "text"} a line, as `headroom encode` reads them) and vectors ({"id", "vector": {token id:
weight}}, as it writes them) the vectors of sentence_transformers.SparseEncoder and those worked out from
transformers' *ForMaskedLM must both be headroom's within the tolerance; where each
token keeps its greatest logits only, which sentence-transformers cannot express, the latter alone. With a case of this folder's testdata the
logits and SPLADE vectors for its token ids must be the reference's, after the decoder was scaled by K. Alone, the
folder must load without a warning about weights, and its tokenizer must give what tokenizer.json says. Exit code 1
where something differs.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
import transformers
from sentence_transformers import SparseEncoder
from tokenizers import Tokenizer
from transformers import AutoModelForMaskedLM, AutoTokenizer

TEXTS = [
    "", "a b c", "Hello, WORLD!", "naïve café Ångström", "x" * 120, "tab\tnew\nline  two  spaces", "日本語 text", "[MASK] in [SEP] text",
    "1,234.5 mg/dl (p<0.05)", "don't e-mail\u200bme", "👩‍🔬 emoji", "a" + "\u0301" + "e",
]


def masked_lm(folder: Path):
    model, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[kind]:
            sys.exit(f"{folder}: transformers reports {kind}: {sorted(info[kind])}")
    stored = json.loads((folder / "config.json").read_text())
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    if tied != stored["tie_word_embeddings"]:
        sys.exit(f"{folder}: config.json says tied {stored['tie_word_embeddings']}, the loaded model is tied {tied}")
    return model.eval()


def check_tokenizer(folder: Path, encoder: SparseEncoder) -> None:
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    plain.no_padding()
    auto = AutoTokenizer.from_pretrained(folder)
    limit = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
    if encoder.max_seq_length != limit:
        sys.exit(f"{folder}: SparseEncoder cuts at {encoder.max_seq_length}, the folder says {limit}")
    for text in TEXTS:
        want = plain.encode(text).ids
        if auto(text)["input_ids"] != want:
            sys.exit(f"{folder}: AutoTokenizer gives {auto(text)['input_ids']} for {text!r}, tokenizer.json {want}")
        features = encoder.preprocess([text])
        got = features["input_ids"][0].tolist()
        if len(want) <= limit and got != want:
            sys.exit(f"{folder}: SparseEncoder gives {got} for {text!r}, tokenizer.json {want}")
        if len(got) > limit:
            sys.exit(f"{folder}: SparseEncoder gives {len(got)} tokens, the limit is {limit}")


def check_ids(folder: Path, model, path: Path, rescale: float) -> float:
    """The difference relative to the largest value."""
    want = safetensors.numpy.load_file(path)
    mask = torch.from_numpy(want["attention_mask"]).long()
    with torch.no_grad():
        logits = model(input_ids=torch.from_numpy(want["input_ids"]).long(), attention_mask=mask).logits
    logits = (logits * mask[..., None]).double().numpy()
    worst = 0.0
    reference = want["logits"].astype(np.float64) * rescale
    for got, expected in (
        (logits, reference),
        (np.log1p(np.maximum(logits, 0)).max(axis=1), np.log1p(np.maximum(reference, 0)).max(axis=1)),
    ):
        worst = max(worst, np.abs(got - expected).max() / np.abs(expected).max())
    return float(worst)


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def content(row: dict) -> str:
    return f"{row['title']} {row['text']}" if row.get("title") else row["text"]


def check_texts(folder: Path, encoder: SparseEncoder, model, texts: Path, vectors: Path) -> tuple[float, float, int]:
    rows = read_lines(texts)
    given = {row["id"]: row["vector"] for row in read_lines(vectors)}
    if sorted(given) != sorted(row["_id"] for row in rows):
        sys.exit(f"{vectors} and {texts} do not have the same ids")
    pooling = json.loads((folder / "1_SpladePooling" / "config.json").read_text())
    encoding = json.loads((folder / "config_sentence_transformers.json").read_text())
    kept, per_token = encoding.get("max_active_dims"), encoding.get("headroom_token_top_m")
    worst_st = worst_hf = 0.0
    for row in rows:
        text = content(row)
        want = np.zeros(model.config.vocab_size)
        for term, weight in given[row["_id"]].items():
            want[int(term)] = weight
        got = encoder.encode([text], convert_to_sparse_tensor=False, show_progress_bar=False)[0].double().cpu().numpy()
        worst_st = max(worst_st, np.abs(got - want).max())

        features = {k: v for k, v in encoder.preprocess([text]).items() if k in ("input_ids", "attention_mask", "token_type_ids")}
        with torch.no_grad():
            logits = model(**features).logits
        if per_token:  # a stable sort: of equal logits those of the smallest ids stay
            order = logits.sort(dim=-1, descending=True, stable=True).indices[..., :per_token]
            logits = torch.where(torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, True), logits, 0)
        activated = torch.log1p(torch.relu(logits * features["attention_mask"][..., None]))
        if pooling["activation_function"] == "log1p_relu":
            activated = torch.log1p(activated)
        pooled = activated.amax(dim=1) if pooling["pooling_strategy"] == "max" else activated.sum(dim=1)
        if kept:
            pooled[pooled < pooled.topk(kept).values.min()] = 0
        worst_hf = max(worst_hf, np.abs(pooled[0].double().numpy() - want).max())
    return float(worst_st), float(worst_hf), len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--ids", type=Path)
    parser.add_argument("--rescale", type=float, default=1)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    if (args.texts is None) != (args.vectors is None):
        parser.error("--texts and --vectors go together")
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()

    model = masked_lm(args.folder)
    encoder = SparseEncoder(str(args.folder), device="cpu")
    check_tokenizer(args.folder, encoder)
    print(f"{args.folder}: {type(model).__name__} and SparseEncoder load, the tokenizer is tokenizer.json's")
    failed = False
    if args.ids:
        worst = check_ids(args.folder, model, args.ids, args.rescale)
        failed |= not worst <= args.tolerance
        print(f"  logits and vectors of {args.ids.parent.name} × {args.rescale:g}: off by {worst:.1e} of the largest value")
    if args.texts:
        st, hf, n = check_texts(args.folder, encoder, model, args.texts, args.vectors)
        own = "headroom_token_top_m" in (args.folder / "config_sentence_transformers.json").read_text()
        failed |= not ((own or st <= args.tolerance) and hf <= args.tolerance)
        print(f"  vectors of {n} texts: off by {st:.1e} from sentence-transformers{', which knows no top-m per token' if own else ''}, "
              f"{hf:.1e} from transformers")
    if failed:
        sys.exit(f"{args.folder}: differs by more than {args.tolerance:g}")


if __name__ == "__main__":
    main()
