#!/usr/bin/env python3
"""The sentence-transformers side of bench/gpu.sh: gpu_peer.py DIR SHAPE DEVICE PRECISION prints one JSON document.

Weights are float32 and products run under autocast where PRECISION is bfloat16. A step is SpladeLoss over
SparseMultipleNegativesRankingLoss with one hard negative, backward, clipping by norm 1, fused AdamW where the device
has one. Encoding goes from token ids on the host to sparse tensors on the host, texts of like length together.
"""

import contextlib
import json
import math
import os
import statistics
import sys
import time

import sentence_transformers
import torch
from sentence_transformers import SparseEncoder
from sentence_transformers.sparse_encoder.losses import SparseMultipleNegativesRankingLoss, SpladeLoss


def main(folder, shape, device, precision):
    with open(os.path.join(folder, "plan.json")) as file:
        plan = json.load(file)
    with open(os.path.join(folder, shape, "batches.json")) as file:
        batches = json.load(file)
    model = SparseEncoder(os.path.join(folder, shape), device=device)
    model.train()
    for module in model.modules():  # no dropout on either side
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    loss = SpladeLoss(
        model,
        SparseMultipleNegativesRankingLoss(model),
        query_regularizer_weight=plan["lambda_query"],
        document_regularizer_weight=plan["lambda_document"],
    )
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=plan["lr"], betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, fused=device == "cuda"
    )

    def autocast():
        if precision != "bfloat16":
            return contextlib.nullcontext()
        return torch.autocast(device, dtype=torch.bfloat16)

    def synchronize():
        if device == "cuda":
            torch.cuda.synchronize()

    def features(texts, tokens):
        ids = torch.zeros((len(texts), tokens), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for i, text in enumerate(texts):
            ids[i, : len(text)] = torch.tensor(text)
            mask[i, : len(text)] = 1
        return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}

    def step(batch):
        n = plan["queries"]
        columns = [features(batch["queries"], plan["query_tokens"])]
        for first in range(0, plan["documents"], n):
            columns.append(features(batch["documents"][first : first + n], plan["document_tokens"]))
        with autocast():
            parts = loss(columns, None)
        total = sum(parts.values()) if isinstance(parts, dict) else parts
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return total.item()

    losses, times, first = [], [], 0.0
    for i in range(plan["batches"] + plan["timed"]):
        start = time.perf_counter()
        value = step(batches[i % len(batches)])
        synchronize()
        seconds = time.perf_counter() - start
        first = first or seconds
        if i < plan["batches"]:
            losses.append(value)
        else:
            times.append(seconds)

    model.eval()
    # As SparseEncoder.encode does: the longest texts first, each batch padded to its longest.
    texts = [text for round_ in range(plan["timed"]) for text in batches[round_ % len(batches)]["documents"]]
    texts.sort(key=len, reverse=True)
    for _ in range(2):  # the first time warms up
        synchronize()
        start = time.perf_counter()
        with torch.no_grad():
            for first_text in range(0, len(texts), plan["documents"]):
                some = texts[first_text : first_text + plan["documents"]]
                with autocast():
                    vectors = model(features(some, len(some[0])))["sentence_embedding"]
                vectors.float().to_sparse().cpu()
        encoding = len(texts) / (time.perf_counter() - start)

    print(
        json.dumps(
            {
                "shape": shape,
                "system": f"sentence-transformers {sentence_transformers.__version__}, torch {torch.__version__}",
                "device": torch.cuda.get_device_name(0) if device == "cuda" else "cpu",
                "precision": precision,
                "losses": losses,
                "digest": "",
                "first_seconds": first,
                "step_seconds": statistics.median(times),
                "encode_documents": encoding,
                "step_flop": 0,
                "peak_bytes": 0,
                "matmul_flops": rate(synchronize) if device == "cuda" else 0,
            },
            separators=(",", ":"),
        )
    )


def rate(synchronize, n=8192):
    """The bfloat16 rate of a large product, the best of ten, in floating-point operations per second."""
    a = torch.randn(n, n, device="cuda", dtype=torch.bfloat16)
    b = torch.randn(n, n, device="cuda", dtype=torch.bfloat16)
    best = math.inf
    for _ in range(10):
        synchronize()
        start = time.perf_counter()
        a @ b
        synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


if __name__ == "__main__":
    main(*sys.argv[1:])
