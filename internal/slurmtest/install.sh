#!/bin/sh
# Brings what a Slurm for tests needs from the distribution's packages, where this is
# allowed, and else says why not. Nothing is started.
PATH=$PATH:/usr/sbin:/sbin
lacks() { for p in munged slurmctld slurmd sbatch; do command -v $p >/dev/null || { echo "$p"; return; }; done; }
[ -z "$(lacks)" ] && exit 0
[ "$(id -u)" = 0 ] || { echo "$(lacks) is not installed and this is not root: install munge, slurmctld, slurmd, slurm-client"; exit 1; }
command -v apt-get >/dev/null || { echo "$(lacks) is not installed and there is no apt-get"; exit 1; }
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then # keeps packages from starting their daemons
  printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && trap 'rm -f $policy' EXIT
fi
install() { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends munge slurmctld slurmd slurm-client; }
{ install || { apt-get update && install; }; } </dev/null >/tmp/headroom-slurm-install.$$ 2>&1
why=$(tail -n 1 /tmp/headroom-slurm-install.$$)
rm -f /tmp/headroom-slurm-install.$$
[ -z "$(lacks)" ] || { echo "its packages cannot be installed: $why"; exit 1; }
