"""Prints how many times faster headroom encodes SciFact's corpus than Hugging Face tokenizers.

    python tokenize_ratio.py BENCH DATA

BENCH is the built command of this folder, DATA the folder that HEADROOM_DATA names. The two take turns in one run, so
that a busy machine slows both; the reference is the faster of its two batch calls. Reported is the median of the
rounds' ratios with the lowest and the highest.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import tokenizers

ROUNDS = 3


def main():
    bench, data = sys.argv[1:]
    corpus = os.path.join(data, "beir", "scifact", "corpus.jsonl")
    with open(corpus, encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    texts = [d["title"] + " " + d["text"] for d in documents]
    megabytes = sum(len(t.encode()) for t in texts) / 1e6
    print("%d texts, %.1f MB, tokenizers %s, %d cores" % (len(texts), megabytes, tokenizers.__version__, os.cpu_count()))
    for name, goal in (("bert-base-uncased", 10), ("modernbert", 5)):
        path = os.path.join(data, "tokenizers", name, "tokenizer.json")
        reference = tokenizers.Tokenizer.from_file(path)
        ours = subprocess.Popen([bench, path, corpus], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for threads, label in ((1, "one thread"), (0, "all cores")):
            os.environ["TOKENIZERS_PARALLELISM"] = "false" if threads == 1 else "true"
            calls = [reference.encode_batch, reference.encode_batch_fast]
            theirs_seconds, ours_seconds = [], []
            for _ in range(ROUNDS):
                seconds, ids = zip(*(timed(call, texts) for call in calls))
                theirs_seconds.append(min(seconds))
                ours.stdin.write("%d\n" % threads)
                ours.stdin.flush()
                answer = ours.stdout.readline().split()
                ours_seconds.append(float(answer[0]))
                if int(answer[1]) != ids[0]:
                    sys.exit("%s: %s ids here, %d there" % (name, answer[1], ids[0]))
            ratios = [a / b for a, b in zip(theirs_seconds, ours_seconds)]
            wanted = ", goal %d×" % goal if threads == 1 else ""
            print("%s, %s: %.1f× faster (%.1f–%.1f, n=%d%s); %.1f MB/s and %.2f M ids/s against %.1f MB/s" % (
                name, label, statistics.median(ratios), min(ratios), max(ratios), ROUNDS, wanted,
                megabytes / statistics.median(ours_seconds), ids[0] / statistics.median(ours_seconds) / 1e6,
                megabytes / statistics.median(theirs_seconds)))
        ours.stdin.close()
        ours.wait()


def timed(call, texts):
    start = time.perf_counter()
    ids = sum(len(e.ids) for e in call(texts))
    return time.perf_counter() - start, ids


if __name__ == "__main__":
    main()
