#!/usr/bin/env python3
"""ONNX Runtime as a peer of encoding: the model's logits by ONNX Runtime, SPLADE's pooling by PyTorch.

    onnx_peer.py check
    onnx_peer.py encode FOLDER TEXTS.json MAX_LENGTH THREADS VECTORS.bin

It stands for the ONNX backend of sentence-transformers, which works in the same way and whose exporter does not install beside
transformers 5. The maximum over tokens comes before log(1+ReLU), which is faster. Lines and files are as st_peer.py has them.
"""

import json
import os
import sys
import tempfile
import warnings

from st_peer import serve


def session(folder, threads):
    import onnxruntime
    import torch
    from transformers import AutoModelForMaskedLM

    model = AutoModelForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()
    names = ["input_ids", "attention_mask"]
    example = tuple(torch.ones(2, 8, dtype=torch.long) for _ in names)
    axes = {name: {0: "batch", 1: "tokens"} for name in [*names, "logits"]}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # The new exporter needs one more package, and says so in many lines; vectors are compared with ours.
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "model.onnx")
        torch.onnx.export(model, example, path, input_names=names, output_names=["logits"], dynamic_axes=axes, dynamo=False)
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def encode(folder, texts, max_length, threads, vectors):
    import torch
    from transformers import AutoTokenizer

    torch.set_num_threads(int(threads))
    tokenizer, run = AutoTokenizer.from_pretrained(folder), session(folder, int(threads))
    with open(texts) as file:
        documents = json.load(file)
    longest_first = sorted(range(len(documents)), key=lambda i: -len(documents[i]))
    first = True

    def work():
        nonlocal first
        total, kept = 0.0, {}
        for at in range(0, len(documents), 32):
            batch = longest_first[at : at + 32]
            x = tokenizer([documents[i] for i in batch], padding=True, truncation=True, max_length=int(max_length), return_tensors="np")
            logits = torch.from_numpy(run.run(None, {"input_ids": x["input_ids"], "attention_mask": x["attention_mask"]})[0])
            logits.masked_fill_(torch.from_numpy(x["attention_mask"] == 0)[:, :, None], float("-inf"))
            pooled = torch.log1p(torch.relu(logits.amax(1)))
            for i, vector in zip(batch, pooled):
                sparse = vector.to_sparse()
                total += float(sparse.values().sum())
                if first and i < 32:
                    kept[i] = vector.clone()
        if first:
            torch.stack([kept[i] for i in sorted(kept)]).numpy().tofile(vectors)
            first = False
        return total

    serve(work)


if __name__ == "__main__":
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "check":
        import onnxruntime
        import torch

        print(f"onnxruntime {onnxruntime.__version__}, torch {torch.__version__}")
    else:
        encode(*arguments)
