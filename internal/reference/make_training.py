#!/usr/bin/env python3
"""Makes testdata/training-<name>/: fifty optimizer steps of sentence-transformers' SPLADE training, step by step.

    python3 make_training.py [--out testdata] [NAME …]

The loss is sentence_transformers' SpladeLoss over SparseMultipleNegativesRankingLoss (scale 1), SparseMarginMSELoss or
SparseDistillKLDivLoss; its λ come from its own SpladeRegularizerWeightSchedulerCallback; learning rate, AdamW and
clipping are what transformers' Trainer uses. Only the runs with loss "naver" are another library's objective: its two
formulas, in-batch positives plus the query's own negative (InBatchPairwiseNLL) and averaged FLOPS, are written here
over the same λ. The loop is written out here so that token ids go in directly and every quantity is seen before its update. It runs twice,
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
from sentence_transformers.sparse_encoder.losses import (
    SparseDistillKLDivLoss,
    SparseMarginMSELoss,
    SparseMultipleNegativesRankingLoss,
    SpladeLoss,
)
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
    loss: str = "infonce"  # "infonce", "margin_mse", "kl", "naver"
    negatives: int = 0  # hard negatives a query
    temperature: float = 1.0  # of KL
    activation: str = "log1p_relu"  # or "log1p_log1p_relu", which sentence-transformers calls "log1p_relu"
    pooling: str = "max"  # or "sum"


RUNS = [
    Run("bert-tied", "bert-tied", 1, True, 501),
    Run("bert-untied-4", "bert-tied", 4, False, 502),
    # A seed at which no maximum over tokens is decided by less than a rounding: with 503 one is, at step 32, and from
    # there on two correct programs train different tokens.
    Run("modernbert-tied", "modernbert-tied", 1, True, 513),
    Run("modernbert-untied-4", "modernbert-tied", 4, False, 504),
    Run("negatives-bert-untied-4", "bert-tied", 4, False, 601, negatives=2),
    Run("negatives-modernbert-tied", "modernbert-tied", 1, True, 602, negatives=1),
    Run("naver-bert-tied", "bert-tied", 1, True, 603, loss="naver", negatives=1),
    Run("naver-modernbert-untied-4", "modernbert-tied", 4, False, 604, loss="naver", negatives=1),
    Run("margin-mse-bert-tied", "bert-tied", 1, True, 611, loss="margin_mse", negatives=1),
    # With seed 612 two tokens are as good as equal and float32 PyTorch itself leaves float64 by 4e-2.
    Run("margin-mse-bert-untied-4", "bert-tied", 4, False, 642, loss="margin_mse", negatives=3),
    Run("margin-mse-modernbert-tied", "modernbert-tied", 1, True, 613, loss="margin_mse", negatives=1),
    Run("margin-mse-modernbert-untied-4", "modernbert-tied", 4, False, 614, loss="margin_mse", negatives=2),
    Run("kl-bert-tied", "bert-tied", 1, True, 621, loss="kl", negatives=1, temperature=2),
    Run("kl-bert-untied-4", "bert-tied", 4, False, 622, loss="kl", negatives=3),
    Run("kl-modernbert-tied", "modernbert-tied", 1, True, 623, loss="kl", negatives=2),
    Run("kl-modernbert-untied-4", "modernbert-tied", 4, False, 624, loss="kl", negatives=3, temperature=2),
    Run("twice-modernbert-untied-4", "modernbert-tied", 4, False, 631, activation="log1p_log1p_relu"),
    Run("sum-bert-untied-4", "bert-tied", 4, False, 632, pooling="sum"),
]


class Encoder(torch.nn.Module):
    """What SpladeLoss asks of a model: features in, one vector a text out."""

    def __init__(self, lm, run):
        super().__init__()
        self.lm = lm
        self.run = run
        self.similarity = dot_score

    def forward(self, features):
        logits = self.lm(input_ids=features["input_ids"], attention_mask=features["attention_mask"]).logits
        masked = logits * features["attention_mask"][..., None].to(logits.dtype)
        weights = torch.log1p(torch.relu(masked))
        if self.run.activation == "log1p_log1p_relu":
            weights = torch.log1p(weights)
        return {"sentence_embedding": weights.sum(dim=1) if self.run.pooling == "sum" else weights.amax(dim=1)}


class Naver(torch.nn.Module):
    """The objective of naver/splade: every query against the batch's positives and its own negative, and the mean of
    the positives' and the negatives' FLOPS. It has the names that the scheduler sets λ by."""

    def __init__(self, splade: SpladeLoss):
        super().__init__()
        self.splade = splade

    def forward(self, queries, positives, negatives):
        own = (queries * negatives).sum(dim=1, keepdim=True)
        scores = torch.cat([queries @ positives.T, own], dim=1)
        base = torch.nn.functional.cross_entropy(scores, torch.arange(len(scores)))
        flops = self.splade.document_regularizer.compute_loss_from_embeddings
        return {
            "base_loss": base,
            "document_regularizer_loss": self.documents([positives, negatives]) * self.splade.document_regularizer_weight,
            "query_regularizer_loss": flops(queries) * self.splade.query_regularizer_weight,
        }

    def documents(self, columns):
        flops = self.splade.document_regularizer.compute_loss_from_embeddings
        return (flops(columns[0]) + flops(columns[1])) / 2


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
    return Encoder(lm, run).train()


def texts(run: Run, batch: int, vocab: int, pad: int, longest: int, rng: np.random.Generator):
    """[batches, texts, tokens] ids and masks; lengths vary, no text contains the pad id."""
    allowed = np.setdiff1d(np.arange(vocab), [pad])
    ids = np.full((run.batches, batch, longest), pad, dtype=np.int32)
    mask = np.zeros_like(ids)
    for row, lengths in zip(ids.reshape(-1, longest), mask.reshape(-1, longest)):
        n = rng.integers(2, longest + 1)
        row[:n] = rng.choice(allowed, n)
        lengths[:n] = 1
    return ids, mask


def features(ids, mask):
    return {"input_ids": torch.from_numpy(ids).long(), "attention_mask": torch.from_numpy(mask).long()}


RANKING = {"infonce": "loss/contrastive", "naver": "loss/contrastive", "margin_mse": "loss/margin_mse", "kl": "loss/kl"}


def train(run: Run, data: Path, inputs: dict, dtype: torch.dtype) -> tuple[list[dict], dict]:
    encoder = load(run, data, dtype)
    ranking = {
        "infonce": lambda: SparseMultipleNegativesRankingLoss(encoder, scale=1.0, similarity_fct=dot_score),
        "naver": lambda: SparseMultipleNegativesRankingLoss(encoder, scale=1.0, similarity_fct=dot_score),
        "margin_mse": lambda: SparseMarginMSELoss(encoder),
        "kl": lambda: SparseDistillKLDivLoss(encoder, temperature=run.temperature),
    }[run.loss]()
    loss = SpladeLoss(
        encoder,
        ranking,
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
        columns = [
            features(inputs["document_ids"][at][i * run.batch : (i + 1) * run.batch],
                     inputs["document_mask"][at][i * run.batch : (i + 1) * run.batch])
            for i in range(1 + run.negatives)
        ]
        labels = torch.from_numpy(inputs["scores"][at]).to(dtype) if "scores" in inputs else None
        if run.loss == "naver":
            naver = Naver(loss)
            parts = naver(*[encoder(c)["sentence_embedding"] for c in [query, *columns]])
        else:
            parts = loss([query, *columns], labels)
        total = sum(parts.values())
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, run.clip)
        with torch.no_grad():
            q = encoder(query)["sentence_embedding"]
            each = [encoder(c)["sentence_embedding"] for c in columns]
            d = torch.cat(each)
            flops = loss.document_regularizer.compute_loss_from_embeddings
        rows.append({
            "loss": total.item(),
            RANKING[run.loss]: parts["base_loss"].item(),
            "loss/reg_query": parts["query_regularizer_loss"].item(),
            "loss/reg_document": parts["document_regularizer_loss"].item(),
            "flops/query": loss.query_regularizer.compute_loss_from_embeddings(q).item(),
            "flops/document": (naver.documents(each) if run.loss == "naver" else flops(d)).item(),
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
    for side, batch, longest in (
        ("query", run.batch, run.query_tokens),
        ("document", run.batch * (1 + run.negatives), run.document_tokens),
    ):
        inputs[side + "_ids"], inputs[side + "_mask"] = texts(
            run, batch, config["vocab_size"], config["pad_token_id"], longest, rng)
    if run.loss in ("margin_mse", "kl"):  # a teacher's scores, the positive's first and as a rule the highest
        scores = rng.normal(2, 2, (run.batches, run.batch, 1 + run.negatives))
        scores[..., 0] += 3
        inputs["scores"] = scores.astype(np.float32)

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
        "loss": {
            "infonce": "SpladeLoss over SparseMultipleNegativesRankingLoss, scale 1",
            "margin_mse": "SpladeLoss over SparseMarginMSELoss",
            "kl": f"SpladeLoss over SparseDistillKLDivLoss, temperature {run.temperature:g}",
            "naver": "naver's InBatchPairwiseNLL and averaged FLOPS, as written in make_training.py",
        }[run.loss],
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
