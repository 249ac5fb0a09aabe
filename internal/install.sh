#!/bin/sh
# install.sh TEST PACKAGE…: installs packages of the distribution where the shell command
# TEST fails, this is root and there is apt-get. Where TEST still fails after that, it prints
# why, and fails itself. No package may start a daemon.
PATH=$PATH:/usr/sbin:/sbin
present=$1
shift
there() { eval "$present" >/dev/null 2>&1; }
there && exit 0
[ "$(id -u)" = 0 ] || { echo "not installed, and this is not root: install $*"; exit 1; }
command -v apt-get >/dev/null || { echo "not installed, and there is no apt-get: install $*"; exit 1; }
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -e $policy ]; then # keeps packages from starting their daemons
  printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && trap 'rm -f "$log" $policy' EXIT
fi
install() { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@"; }
{ install "$@" || { apt-get update && install "$@"; }; } </dev/null >"$log" 2>&1
there || { echo "not installed, and apt-get cannot install $*: $(tail -n 1 "$log")"; exit 1; }
