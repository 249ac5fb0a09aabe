#!/usr/bin/env bash
# A result on real text, made on a GPU: two small backbones pretrained on the texts of three
# collections, a sweep of k over them on MedQuAD, its report. Nothing of this needs Go, Python or
# a network: bin/headroom-xla (make build-xla), an XLA plugin for the GPU, and a folder
# of data. What a call leaves undone the next one goes on with, so it may be called in
# pieces, and be killed.
#
#   HEADROOM_DATA=DIR bench/gpu_result.sh   with beir/{medquad,scifact,cranfield} and
#                                           tokenizers/{modernbert,bert-base-uncased} in DIR
#   bench/gpu_result.sh --cpu       few steps of tiny shapes on a slice of that text, through
#                                   XLA's CPU client: only to see that it works
#   HEADROOM_GPU_OUT=DIR            where the workspace, the report and times.tsv lie
#                                   (headroom-runs/gpu-result; with --cpu headroom-runs/gpu-result-cpu)
#   HEADROOM_GPU_LIMIT=N            seconds after which a call stops what it does and lets it
#                                   save its state (540); that takes some seconds more
#   HEADROOM_XLA_PLUGIN=…           the plugin; else it is searched for
#
# Exit code: 0 all is done; 75 the time of this call is over, call it again; else a fault.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
headroom=$PWD/bin/headroom-xla
[ -x "$headroom" ] || { echo "bench/gpu_result.sh: $headroom is missing: make build-xla"; exit 1; }
case ${1:-} in
  '' | --cpu) set -- "${1:-}" ;;
  *) echo "bench/gpu_result.sh: $1 is unknown; allowed: --cpu"; exit 2 ;;
esac
data=${HEADROOM_DATA:?bench/gpu_result.sh: set it to the folder that holds beir/medquad}
limit=${HEADROOM_GPU_LIMIT:-540}
out=${HEADROOM_GPU_OUT:-headroom-runs/gpu-result${1/--/-}}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
backend=auto${HEADROOM_XLA_PLUGIN:+x}
backend=${backend/autox/xla:${HEADROOM_XLA_PLUGIN:-}}
recipes=(medquad-bert-mini medquad-ettin-17m)
sweep=medquad-k
again=()

# slice writes the first documents, queries and judgements of a collection into a folder.
slice() {
  local from=$1 to=$2 train=$3 test=$4
  mkdir -p "$to/qrels"
  head -n $((train + 1)) "$from/qrels/train.tsv" > "$to/qrels/train.tsv"
  head -n $((test + 1)) "$from/qrels/test.tsv" > "$to/qrels/test.tsv"
  local keep
  for keep in "1 queries" "2 corpus"; do # the ids in that column of the judgements
    awk -F '\t' -v column="${keep% *}" '
      FILENAME ~ /\.tsv$/ { if (FNR > 1) wanted[$column]; next }
      match($0, /"_id": *"[^"]*"/) { id = substr($0, RSTART, RLENGTH); gsub(/^"_id": *"|"$/, "", id); if (id in wanted) print }
    ' "$to/qrels/train.tsv" "$to/qrels/test.tsv" "$from/${keep#* }.jsonl" > "$to/${keep#* }.jsonl"
  done
}

if [ "$1" = --cpu ]; then
  : "${HEADROOM_XLA_PLUGIN:?bench/gpu_result.sh --cpu: name the plugin (make xla-cpu-plugin prints its path)}"
  if [ ! -e "$out/small/made" ]; then
    slice "$data/beir/medquad" "$out/small/data/beir/medquad" 64 12
    for name in scifact cranfield; do # read for their documents alone
      mkdir -p "$out/small/data/beir/$name"
      head -n 50 "$data/beir/$name/corpus.jsonl" > "$out/small/data/beir/$name/corpus.jsonl"
      cp "$data/beir/$name/queries.jsonl" "$out/small/data/beir/$name/"
    done
    ln -sfn "$(cd "$data" && pwd)/tokenizers" "$out/small/data/tokenizers"
    mkdir -p "$out/small/backbones"
    cp "experiments/$sweep.toml" "$out/small/"
    for name in "${recipes[@]}"; do
      sed -E 's/^(hidden|intermediate) +=.*/\1 = 32/; s/^(layers|heads) +=.*/\1 = 2/; s/^max_length +=.*/max_length = 16/
        s/^steps +=.*/steps = 8/; s/^batch +=.*/batch = 8/' "experiments/backbones/$name.toml" > "$out/small/backbones/$name.toml"
    done
    touch "$out/small/made"
  fi
  export HEADROOM_DATA=$out/small/data
  recipes=("${recipes[@]/#/$out/small/backbones/}")
  recipes=("${recipes[@]/%/.toml}")
  sweep=$out/small/$sweep.toml
  again=(model.rescale='[1,8]' seed=1 data.max_query=16 data.max_document=16 train.steps=4 train.batch=8 compute.slots=2 compute.threads=1)
fi

# phase does one part within what is left of this call's time and keeps how long it took.
phase() {
  local name=$1 begin=$SECONDS left=$((limit - SECONDS)) code=0
  shift
  if [ $left -gt 0 ]; then
    echo "bench/gpu_result.sh: $SECONDS s: $name"
    timeout --foreground --signal=INT --kill-after=90 "$left" "$headroom" "$@" -w "$out/workspace"
    code=$?
    # What was done before is looked at and left as it is: no time of its.
    grep -qs "^$name"$'\t.*\t0$' "$out/times.tsv" || printf '%s\t%s\t%s\n' "$name" $((SECONDS - begin)) $code >> "$out/times.tsv"
  else
    code=124
  fi
  case $code in
    0) ;;
    124 | 137) echo "bench/gpu_result.sh: $limit s are over: call it again to go on"; exit 75 ;;
    *) echo "bench/gpu_result.sh: $name ended with exit code $code"; exit "$code" ;;
  esac
}

for recipe in "${recipes[@]}"; do
  phase "pretrain $(basename "$recipe" .toml)" pretrain "$recipe" --backend "$backend"
done
phase "run medquad-k" run "$sweep" ${again[@]+"${again[@]}"} compute.backend="\"$backend\""
phase "report medquad-k" report medquad-k -o "$out/report"

echo
echo "$(date -u +%F), $("$headroom" version | head -1)"
if command -v nvidia-smi > /dev/null; then nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader; fi
echo
echo "| part | seconds | calls |"
echo "| --- | --: | --: |"
awk -F '\t' '!($1 in seconds) { order[++n] = $1 } { seconds[$1] += $2; calls[$1]++ }
  END { for (i = 1; i <= n; i++) printf "| %s | %d | %d |\n", order[i], seconds[order[i]], calls[order[i]] }' "$out/times.tsv"
echo
"$headroom" query -w "$out/workspace" "SELECT runs.backbone, runs.rescale AS k, count(*) AS runs,
    printf('%.3f', avg(value)) AS 'nDCG@10', printf('%.3f', min(value)) AS least, printf('%.3f', max(value)) AS most
  FROM runs JOIN scores ON scores.run = runs.run WHERE measure = 'nDCG@10' GROUP BY 1, 2 ORDER BY 1, CAST(k AS REAL)" || exit 1
echo
echo "the report: $out/report/report.md"
