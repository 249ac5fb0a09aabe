#!/usr/bin/env python3
"""The numba side of the search benchmark: one process that works whenever it is told to.

    numba_peer.py check
    numba_peer.py search|sums INDEX QUERIES.json K

INDEX is a folder that headroom saved, with the same postings as arrays beside it (peer-*), in the same order. `search` finds the
best K documents of each query: one compiled loop over the postings, then argpartition and a sort. `sums` is the loop
alone. A JSON line {"ready": true} comes first; then each line on standard input is answered by
{"seconds", "cpu", "peak", "loss"}; loss is a sum over the scores found, in their order (0 for `sums`).
"""

import json
import os
import resource
import sys
import time


def answer(**values):
    print(json.dumps(values), flush=True)


def main(what, folder, queries, k):
    import numba
    import numpy as np

    with open(os.path.join(folder, "index.json")) as file:
        manifest = json.load(file)
    offsets = np.fromfile(os.path.join(folder, "peer-offsets"), dtype="<u8")
    docs = np.fromfile(os.path.join(folder, "peer-documents"), dtype="<u4")
    weights = np.fromfile(os.path.join(folder, "peer-weights"), dtype="<f4")
    documents, k = manifest["documents"], min(int(k), manifest["documents"])
    with open(queries) as file:
        queries = [(np.array(q["Terms"], np.uint32), np.array(q["Weights"], np.float32)) for q in json.load(file)]

    @numba.njit
    def accumulate(sums, offsets, docs, weights, terms, query):
        sums[:] = 0
        for i in range(len(terms)):
            q = query[i]
            for at in range(offsets[terms[i]], offsets[terms[i] + 1]):
                sums[docs[at]] += q * weights[at]

    sums = np.zeros(documents, np.float32)

    def work():
        loss = 0
        for terms, query in queries:
            accumulate(sums, offsets, docs, weights, terms, query)
            if what == "search":
                best = np.argpartition(sums, documents - k)[documents - k :]
                best = best[np.argsort(-sums[best])]
                bits = sums[best].view(np.uint32).astype(np.int64)
                loss += int((bits * np.arange(1, k + 1)).sum() % (1 << 40))
        return loss

    work()  # compiles
    answer(ready=True)
    for _ in sys.stdin:
        start, before = time.perf_counter(), time.process_time()
        loss = work()
        cpu, seconds = time.process_time() - before, time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer(seconds=seconds, cpu=cpu, loss=loss, peak=peak)


if __name__ == "__main__":
    if sys.argv[1] == "check":
        import numba, numpy  # noqa: E401, F401

        answer(numba=numba.__version__, numpy=numpy.__version__)
    else:
        main(*sys.argv[1:])
