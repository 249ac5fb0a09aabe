#!/usr/bin/env python3
"""Makes testdata/training-<name>/: fifty optimizer steps of sentence-transformers' SPLADE training, step by step.

    python3 make_training.py [--out testdata] [NAME …]

The loss is sentence_transformers' SpladeLoss over SparseMultipleNegativesRankingLoss (scale 1), its λ come from its own
SpladeRegularizerWeightSchedulerCallback; learning rate, AdamW and clipping are what transformers' Trainer uses. The
loop is written out here so that token ids go in directly and every quantity is seen before its update. It runs twice,
in float64 and in float32; the values kept are float64's, the distance of float32 says what a float32 program can reach.
See README.md for the files' contents.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import safetensors.numpy
import sentence_transformers
import torch
import transformers
from sentence_transformers.sparse_encoder.callbacks import SpladeRegularizerWeightSchedulerCallback
from sentence_transformers.sparse_encoder.losses import SparseMultipleNegativesRankingLoss, SpladeLoss
from sentence_transformers.util import dot_score
from transformers import AutoModelForMaskedLM, get_linear_schedule_with_warmup
from transformers.models.modernbert import modeling_modernbert

from make_reference import Float64Rotary, rotate_in_own_type


@dataclass
class Run:
    name: str
    start: str  # folder in testdata
    rescale: float  # divides the decoder's weight before the first step
    tie: bool  # the decoder stays the input embeddings; False copies it first
    seed: int
    steps: int = 50
    batches: int = 10  # distinct ones; step s takes batch s mod batches
    batch: int = 4
    query_tokens: int = 7
    document_tokens: int = 15
    lr: float = 1e-3
    warmup: float = 0.1
    clip: float = 1.0
    lambda_query: float = 0.02
    lambda_document: float = 0.01
    ramp: float = 1 / 3


RUNS = [
    Run("bert-tied", "bert-tied", 1, True, 501),
    Run("bert-untied-4", "bert-tied", 4, False, 502),
    # A seed at which no maximum over tokens is decided by less than a rounding: with 503 one is, at step 32, and from
    # there on two correct programs train different tokens.
    Run("modernbert-tied", "modernbert-tied", 1, True, 513),
    Run("modernbert-untied-4", "modernbert-tied", 4, False, 504),
]


class Encoder(torch.nn.Module):
    """What SpladeLoss asks of a model: features in, one vector a text out."""

    def __init__(self, lm):
        super().__init__()
        self.lm = lm
        self.similarity = dot_score

    def forward(self, features):
        logits = self.lm(input_ids=features["input_ids"], attention_mask=features["attention_mask"]).logits
        masked = logits * features["attention_mask"][..., None].to(logits.dtype)
        return {"sentence_embedding": torch.log1p(torch.relu(masked)).amax(dim=1)}


def load(run: Run, data: Path, dtype: torch.dtype) -> Encoder:
    lm = AutoModelForMaskedLM.from_pretrained(data / run.start, dtype=torch.float32, attn_implementation="sdpa")
    for module in lm.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name in ("dropout_prob", "attention_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    decoder, embeddings = lm.get_output_embeddings(), lm.get_input_embeddings()
    assert decoder.weight is embeddings.weight, "the starting folders are tied"
    if not run.tie:
        decoder.weight = torch.nn.Parameter(decoder.weight.detach().clone())
    with torch.no_grad():
        decoder.weight /= run.rescale
    lm = lm.to(dtype)
    if dtype == torch.float64 and lm.config.model_type == "modernbert":
        lm.model.rotary_emb = Float64Rotary(lm.config)
    return Encoder(lm).train()


def texts(run: Run, vocab: int, pad: int, longest: int, rng: np.random.Generator):
    """[batches, batch, tokens] ids and masks; lengths vary, no text contains the pad id."""
    allowed = np.setdiff1d(np.arange(vocab), [pad])
    ids = np.full((run.batches, run.batch, longest), pad, dtype=np.int32)
    mask = np.zeros_like(ids)
    for row, lengths in zip(ids.reshape(-1, longest), mask.reshape(-1, longest)):
        n = rng.integers(2, longest + 1)
        row[:n] = rng.choice(allowed, n)
        lengths[:n] = 1
    return ids, mask


def features(ids, mask):
    return {"input_ids": torch.from_numpy(ids).long(), "attention_mask": torch.from_numpy(mask).long()}


def train(run: Run, data: Path, inputs: dict, dtype: torch.dtype) -> tuple[list[dict], dict]:
    encoder = load(run, data, dtype)
    loss = SpladeLoss(
        encoder,
        SparseMultipleNegativesRankingLoss(encoder, scale=1.0, similarity_fct=dot_score),
        document_regularizer_weight=run.lambda_document,
        query_regularizer_weight=run.lambda_query,
    )
    ramp = SpladeRegularizerWeightSchedulerCallback(loss, warmup_ratio=run.ramp)
    state = SimpleNamespace(max_steps=run.steps, global_step=0)
    ramp.on_train_begin(None, state, None)
    parameters = [p for p in encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=run.lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, int(np.ceil(run.warmup * run.steps)), run.steps)

    rows = []
    for step in range(run.steps):
        state.global_step = step
        ramp.on_step_begin(None, state, None)
        at = step % run.batches
        query = features(inputs["query_ids"][at], inputs["query_mask"][at])
        document = features(inputs["document_ids"][at], inputs["document_mask"][at])
        parts = loss([query, document])
        total = sum(parts.values())
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, run.clip)
        with torch.no_grad():
            q, d = encoder(query)["sentence_embedding"], encoder(document)["sentence_embedding"]
        rows.append({
            "loss": total.item(),
            "loss/contrastive": parts["base_loss"].item(),
            "loss/reg_query": parts["query_regularizer_loss"].item(),
            "loss/reg_document": parts["document_regularizer_loss"].item(),
            "flops/query": loss.query_regularizer.compute_loss_from_embeddings(q).item(),
            "flops/document": loss.document_regularizer.compute_loss_from_embeddings(d).item(),
            "lambda/query": loss.query_regularizer_weight,
            "lambda/document": loss.document_regularizer_weight,
            "lr": schedule.get_last_lr()[0],
            "grad_norm": norm.item(),
            "active/query": (q > 0).sum(dim=1).double().mean().item(),
            "active/document": (d > 0).sum(dim=1).double().mean().item(),
        })
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        final = {
            "final_query": encoder(features(inputs["query_ids"][0], inputs["query_mask"][0]))["sentence_embedding"],
            "final_document": encoder(features(inputs["document_ids"][0], inputs["document_mask"][0]))["sentence_embedding"],
        }
    return rows, {k: v.double().numpy() for k, v in final.items()}


def make(run: Run, out: Path) -> dict:
    config = json.loads((out / run.start / "config.json").read_text())
    rng = np.random.default_rng(run.seed)
    inputs = {}
    for side, longest in (("query", run.query_tokens), ("document", run.document_tokens)):
        inputs[side + "_ids"], inputs[side + "_mask"] = texts(run, config["vocab_size"], config["pad_token_id"], longest, rng)

    single, single_final = train(run, out, inputs, torch.float32)
    plain = modeling_modernbert.apply_rotary_pos_emb
    modeling_modernbert.apply_rotary_pos_emb = rotate_in_own_type
    try:
        double, double_final = train(run, out, inputs, torch.float64)
    finally:
        modeling_modernbert.apply_rotary_pos_emb = plain

    folder = out / f"training-{run.name}"
    folder.mkdir(parents=True, exist_ok=True)
    stored = {k: v.astype(np.float32) for k, v in double_final.items()} | inputs
    safetensors.numpy.save_file({k: np.ascontiguousarray(v) for k, v in stored.items()}, folder / "reference.safetensors")
    series = {name: [row[name] for row in double] for name in double[0]}
    gap = {name: [float(f"{abs(a[name] - b[name]):.1e}") for a, b in zip(single, double)] for name in series}
    note = {
        "run": asdict(run),
        "optimizer": {"kind": "AdamW", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0},
        "loss": "SpladeLoss over SparseMultipleNegativesRankingLoss, scale 1",
        "series": series,
        "float32_gap": gap,
        "final_float32_gap": {k: float(f"{np.abs(single_final[k] - v).max():.1e}") for k, v in double_final.items()},
        "versions": {
            "torch": torch.__version__.split("+")[0],
            "transformers": transformers.__version__,
            "sentence-transformers": sentence_transformers.__version__,
        },
    }
    lines = json.dumps(note, indent=1)
    (folder / "training.json").write_text(compact(lines) + "\n")
    return note


def compact(text: str) -> str:
    """Puts lists of numbers back onto one line."""
    out, inside = [], False
    for line in text.split("\n"):
        if inside:
            out[-1] += line.strip() if line.strip().startswith("]") else line.strip() + " "
            inside = not line.strip().startswith("]")
        else:
            out.append(line)
            inside = line.endswith("[")
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "testdata")
    args = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for run in RUNS:
        if args.names and run.name not in args.names:
            continue
        note = make(run, args.out)
        s, gap = note["series"], note["float32_gap"]
        print(f"{run.name}: loss {s['loss'][0]:.4f} → {s['loss'][-1]:.4f} (float32 off by at most {max(gap['loss']):.1e}), "
              f"active {s['active/query'][0]:.1f} → {s['active/query'][-1]:.1f}, gradient norm {min(s['grad_norm']):.2f} … "
              f"{max(s['grad_norm']):.2f}, final vectors off by {max(note['final_float32_gap'].values()):.1e}")


if __name__ == "__main__":
    main()
