#!/bin/sh
# A training step with the fused head against the same step as one dense graph, at
# two vocabularies: time, peak memory, ratios. Two minutes on two cores.
#   HEADROOM_BENCH_ROUNDS=N   turns that count (5)
#   HEADROOM_BENCH_TINY=1     everything small: only to see that it works
set -e
cd "$(dirname "$0")/.."
exec env $(make -s env | sed 's/^export //') ${GO:-go} test -run '^$' -bench '^BenchmarkHead$' -benchtime 1x -timeout 30m ./runner/train/host
