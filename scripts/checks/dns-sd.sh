#!/usr/bin/env bash
# The guard finds authorization servers by DNS-SD, unicast and multicast, in a network of its own on loopback: nothing
# leaves this machine, and nothing on its network can be mistaken for what the tests advertise.
set -euo pipefail
# shellcheck source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tools.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

need dnsmasq dnsmasq-base
need ip iproute2
need unshare util-linux

# As root, or as a user who may make namespaces.
namespace=(unshare --net)
[ "$(id -u)" -eq 0 ] || namespace=(unshare --user --map-root-user --net)
if ! "${namespace[@]}" true 2>/dev/null; then
  say "######################################################################"
  say "# NOT CHECKED: DNS-SD. Network namespaces cannot be made here.       #"
  say "######################################################################"
  # Where everything must be checked, as in CI, that is a failure.
  [ -z "${CI:-}" ] || die "the DNS-SD tests need a network namespace"
  exit 0
fi

# Built outside, where there is a network; inside only run.
tests=$(integration_tests resource-guard)
cd resource-guard
"${namespace[@]}" bash -c '
  set -euo pipefail
  ip link set lo up
  ip link set lo multicast on
  ip route add 224.0.0.0/4 dev lo
  exec "$@"
' bash "$tests" --ignored dns_sd --test-threads 1
