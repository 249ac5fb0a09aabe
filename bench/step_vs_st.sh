#!/bin/sh
# Against sentence-transformers on the same cores, in processes that take turns:
# (a) a training step at 4×256, vocabulary 30,522, 16 + 16 texts of 64 tokens, BERT
# and ModernBERT shapes; (b) encoding real documents with a real checkpoint.
#   PYTHON=…                     an interpreter with sentence-transformers and torch
#   HEADROOM_DATA=DIR            for (b): checkpoints/splade-tiny, beir/scifact, beir/cranfield
#   HEADROOM_BENCH_ROUNDS=N      turns that count (5, and 3 for encoding)
#   HEADROOM_BENCH_DOCUMENTS=N   documents per turn (256)
#   HEADROOM_BENCH_TINY=1        a small (a): only to see that it works
# What is missing is skipped, saying so.
set -e
cd "$(dirname "$0")/.."
export PYTHON="${PYTHON:-python3}"
exec env $(make -s env | sed 's/^export //') ${GO:-go} test -v -run '^$' -bench 'AgainstSentenceTransformers$' -benchtime 1x -timeout 60m ./runner/train/host ./runner/evaluate
