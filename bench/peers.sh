#!/bin/sh
# Everything that is compared with another program, each in processes that take turns on the same cores: training
# steps against sentence-transformers, encoding against it and ONNX Runtime, search against numba. It prints the machine and the peers'
# settings first, then medians, least times, peak memories and ratios.
#   PYTHON=…                     an interpreter with sentence-transformers, torch, onnxruntime, onnx and numba
#   HEADROOM_DATA=DIR            for encoding: checkpoints/splade-tiny, beir/scifact, beir/cranfield
#   HEADROOM_BENCH_ROUNDS=N      turns that count (5; 3 for encoding, 9 for search)
#   HEADROOM_BENCH_DOCUMENTS=N   documents per turn of encoding (256)
# What is missing is skipped, saying so.
set -e
cd "$(dirname "$0")/.."
export PYTHON="${PYTHON:-python3}"
unset OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS # each peer is told its number of threads
echo "machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), family $(sed -n 's/^cpu family[^:]*: //p' /proc/cpuinfo | head -1) \
model $(sed -n 's/^model\t[^:]*: //p' /proc/cpuinfo | head -1), $(sed -n 's/MemTotal: *//p' /proc/meminfo), load $(cat /proc/loadavg)"
echo "flags: $(sed -n 's/^flags[^:]*: //p' /proc/cpuinfo | head -1 | tr ' ' '\n' | grep -E '^(avx2|fma|avx512f|avx512_vnni|avx512_bf16|amx_tile)$' | tr '\n' ' ')"
exec env $(make -s env | sed 's/^export //') ${GO:-go} test -v -run '^$' -bench 'Against(SentenceTransformers|Peers)$' -benchtime 1x -timeout 60m \
  ./runner/train/host ./runner/evaluate ./runner/search
