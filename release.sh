#!/usr/bin/env bash
# Builds the programs of a release into bin/release, with their SHA-256 digests.
# They are linked statically, so that they run on any Linux of their architecture;
# where the linker cannot do that, the program needs the C library and that is said.
# SQLite is C: an architecture whose C compiler is not here is left out, and named.
# `make release` calls this with the pinned toolchain.
set -euo pipefail
cd "$(dirname "$0")"
go=${GO:-go}
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' runner/cli/version.go)
[ -n "$version" ] || { echo "release: runner/cli/version.go has no Version" >&2; exit 1; }
out=bin/release
rm -rf "$out"
mkdir -p "$out"

host=$($go env GOHOSTARCH)
for arch in amd64 arm64; do
  case $arch in
    amd64) cc=x86_64-linux-gnu-gcc ;;
    arm64) cc=aarch64-linux-gnu-gcc ;;
  esac
  [ "$arch" != "$host" ] || cc=${CC:-gcc}
  if ! command -v "$cc" >/dev/null; then
    echo "release: linux-$arch is LEFT OUT: its C compiler $cc is not here"
    continue
  fi
  program=$out/headroom-$version-linux-$arch
  build() {
    GOOS=linux GOARCH=$arch CC=$cc $go build -buildvcs=auto -trimpath -tags netgo,osusergo,sqlite_omit_load_extension \
      -ldflags "-s -w $1" -o "$program" ./cmd/headroom
  }
  echo "release: building $program (minutes, the first time)"
  if build '-linkmode external -extldflags "-static"'; then
    kind=static
  else
    echo "release: $cc does not link statically (see above): linking with the C library"
    build ''
    kind="needs the C library"
  fi
  if [ "$arch" = "$host" ]; then
    said=$("$program" --version | head -n 1)
    case $said in
      "headroom $version ("*) ;;
      *) echo "release: $program says \"$said\", not headroom $version" >&2; exit 1 ;;
    esac
  fi
  echo "release: $program: $kind, $(wc -c <"$program") bytes"
done
cd "$out"
sha256sum headroom-* | tee SHA256SUMS
