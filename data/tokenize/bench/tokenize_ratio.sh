#!/bin/sh
# Prints the speed ratio to Hugging Face tokenizers. PYTHON is an interpreter with the package "tokenizers".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${HEADROOM_DATA:-}" ]; then
	echo "tokenize ratio: skipped, HEADROOM_DATA is not set"
	exit 0
fi
python=${PYTHON:-python3}
if ! "$python" -c "import tokenizers" 2>/dev/null; then
	echo "tokenize ratio: skipped, $python has no package tokenizers (set PYTHON)"
	exit 0
fi
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
(cd "$here" && go build -o "$built/bench" .)
"$python" "$here/tokenize_ratio.py" "$built/bench" "$HEADROOM_DATA"
