#!/usr/bin/env python3
"""The sentence-transformers side of the benchmarks: one process that works whenever it is told to.

    st_peer.py check
    st_peer.py step   FOLDER IDS.json THREADS
    st_peer.py encode FOLDER TEXTS.json MAX_LENGTH THREADS VECTORS.bin

A JSON line {"ready": true} comes first; then each line on standard input is answered by {"seconds", "cpu", "peak", "loss"}.
`step` does a whole training step: SpladeLoss over SparseMultipleNegativesRankingLoss, backward, clipping by norm 1,
fused AdamW. `encode` encodes all texts and, the first time, writes the vectors of the first 32 as dense float32.
"""

import json
import os
import resource
import sys
import time


def answer(**values):
    print(json.dumps(values), flush=True)


def serve(work):
    answer(ready=True)
    for _ in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        loss = work()
        seconds, cpu = time.perf_counter() - start, time.process_time() - used
        answer(seconds=seconds, cpu=cpu, loss=loss, peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def step(folder, ids, threads):
    import torch
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.losses import SparseMultipleNegativesRankingLoss, SpladeLoss

    torch.set_num_threads(int(threads))
    model = SparseEncoder(folder, device="cpu")
    model.train()
    with open(ids) as file:
        texts = json.load(file)

    def features(side):
        tokens = torch.tensor(texts[side])
        return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}

    loss = SpladeLoss(
        model,
        SparseMultipleNegativesRankingLoss(model),
        query_regularizer_weight=texts["lambda_query"],
        document_regularizer_weight=texts["lambda_document"],
    )
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=texts["lr"], betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, fused=True)

    def work():
        parts = loss([features("queries"), features("documents")], None)
        total = sum(parts.values()) if isinstance(parts, dict) else parts
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return total.item()

    serve(work)


def encode(folder, texts, max_length, threads, vectors):
    import numpy
    import torch
    from sentence_transformers import SparseEncoder

    torch.set_num_threads(int(threads))
    model = SparseEncoder(folder, device="cpu")
    model.max_seq_length = int(max_length)
    with open(texts) as file:
        documents = json.load(file)
    first = True

    def work():
        nonlocal first
        result = model.encode_document(documents, batch_size=32, show_progress_bar=False, convert_to_sparse_tensor=True)
        if first:
            dense = result.to_dense()[:32].cpu().numpy().astype(numpy.float32)
            dense.tofile(vectors)
            first = False
        return float(result.coalesce().values().sum())

    serve(work)


if __name__ == "__main__":
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "check":
        import sentence_transformers
        import torch
        import transformers

        set_here = [name for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS") if name in os.environ]
        print(
            f"sentence-transformers {sentence_transformers.__version__}, transformers {transformers.__version__}, torch {torch.__version__}, "
            f"{torch.backends.cpu.get_cpu_capability()}, oneDNN {torch.backends.mkldnn.is_available()}, fused AdamW, "
            f"variables of threads: {', '.join(set_here) or 'none'}"
        )
    else:
        {"step": step, "encode": encode}[command](*arguments)
