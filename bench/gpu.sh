#!/usr/bin/env bash
# headroom on a GPU against sentence-transformers: training step and encoding of BERT-base,
# Ettin-150m and ModernBERT-base shapes with random weights, the same batches, lengths and
# precision on both sides; losses, determinism, memory, and a small sweep from start to
# end. Prints a Markdown table. No Go and no network are needed: it takes bin/gpubench
# and bin/headroom-xla, which `make bench-gpu` builds.
#
#   bench/gpu.sh          on a machine with an NVIDIA GPU; at most 9 minutes
#   bench/gpu.sh --cpu    tiny shapes through XLA's CPU client: only to see that it works
#   PYTHON=…              an interpreter with torch and sentence-transformers (python3)
#   HEADROOM_XLA_PLUGIN=… the plugin; else it is searched for (jax[cuda13] in that Python)
#   HEADROOM_GPU_LIMIT=N  seconds after which no further shape is begun (420)
#   HEADROOM_GPU_OUT=DIR  keeps what was measured
#   HEADROOM_GPU_PRECISION=float32   instead of bfloat16, on both sides
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-python3}
limit=${HEADROOM_GPU_LIMIT:-420}
out=${HEADROOM_GPU_OUT:-$(mktemp -d)}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
[ -n "${HEADROOM_GPU_OUT:-}" ] || trap 'rm -rf "$out"' EXIT
backend=xla${HEADROOM_XLA_PLUGIN:+:$HEADROOM_XLA_PLUGIN}
tiny=
precision=${HEADROOM_GPU_PRECISION:-bfloat16}
device=cuda
if [ "${1:-}" = --cpu ]; then
  tiny=tiny device=cpu
  : "${HEADROOM_XLA_PLUGIN:?bench/gpu.sh --cpu: name the plugin (make xla-cpu-plugin prints its path)}"
fi
for program in bin/gpubench bin/headroom-xla; do
  [ -x "$program" ] || { echo "bench/gpu.sh: $program is missing: make bench-gpu"; exit 1; }
done
status=0
bin/gpubench make "$out" $tiny || exit 1

# sampled runs a command and writes the largest use of the device's memory to a file.
sampled() {
  local file=$1; shift
  : > "$file"
  local watch=
  if command -v nvidia-smi > /dev/null; then
    (while sleep 0.2; do nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -i 0; done >> "$file" 2> /dev/null) &
    watch=$!
  fi
  "$@"
  local code=$?
  [ -z "$watch" ] || { kill "$watch"; wait "$watch"; } 2> /dev/null
  return $code
}

# peak puts the largest sample, in bytes, into a result.
peak() {
  local most
  most=$(sort -n "$1" | tail -1)
  [ -z "$most" ] || sed -i "s/\"peak_bytes\":0\b/\"peak_bytes\":$((most * 1048576))/" "$2"
}

shapes=$(sed 's/.*"shapes":\[\([^]]*\)\].*/\1/; s/"//g; s/,/ /g' "$out/plan.json")
has_peer=no
"$python" -c 'import torch, sentence_transformers' 2> /dev/null && has_peer=yes
[ $has_peer = yes ] || echo "bench/gpu.sh: $python has no sentence-transformers: headroom alone is measured"
first=yes
for shape in $shapes; do
  [ $SECONDS -lt "$limit" ] || { echo "bench/gpu.sh: $limit s are over: $shape is not measured"; continue; }
  echo "bench/gpu.sh: $SECONDS s: $shape"
  sampled "$out/memory" timeout 200 bin/gpubench measure "$out" "$shape" "$backend" $precision > "$out/$shape.headroom.json" || status=1
  peak "$out/memory" "$out/$shape.headroom.json"
  if [ $has_peer = yes ]; then
    sampled "$out/memory" timeout 200 "$python" bench/gpu_peer.py "$out" "$shape" $device $precision > "$out/$shape.peer.json" || status=1
    peak "$out/memory" "$out/$shape.peer.json"
  fi
  if [ $first = yes ]; then
    timeout 120 bin/gpubench measure "$out" "$shape" "$backend" $precision check > "$out/$shape.again.json" || status=1
    first=no
  fi
done

echo "bench/gpu.sh: $SECONDS s: a sweep from start to end"
begin=$SECONDS
if timeout 180 bin/headroom-xla run "$out/sweep.toml" -w "$out/workspace" "compute.backend=\"$backend\"" > "$out/sweep.log" 2>&1 &&
  timeout 60 bin/headroom-xla report gpu -w "$out/workspace" -o "$out/report" >> "$out/sweep.log" 2>&1; then
  sweep="a sweep of two runs with its report took $((SECONDS - begin)) s"
else
  sweep="the sweep FAILED: $(tail -3 "$out/sweep.log" | tr '\n' ' ')"
  status=1
fi

# What results cost that do not depend on timing: the last shape with kernels that XLA tries out.
if [ $SECONDS -lt $((limit - 30)) ]; then
  echo "bench/gpu.sh: $SECONDS s: $shape with kernels that are tried out"
  XLA_FLAGS="${XLA_FLAGS:-} --xla_gpu_deterministic_ops=false" \
    timeout 150 bin/gpubench measure "$out" "$shape" "$backend" $precision > "$out/$shape.tuned.json" || status=1
else
  echo "bench/gpu.sh: $SECONDS s are over: kernels are not tried out"
fi

echo
echo "$(date -u +%F), $(bin/headroom-xla version | head -1)"
if command -v nvidia-smi > /dev/null; then nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader; fi
bin/gpubench table "$out" || status=1
echo
echo "$sweep; all took $SECONDS s"
exit $status
