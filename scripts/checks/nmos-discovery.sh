#!/usr/bin/env bash
# A node finds our authorization server by what it announces by multicast DNS, and judges its tokens: both real, in a
# network namespace of their own that has nothing but loopback. Then everything else that nmos-node.sh asks.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$here/lib/tools.sh"
cd "$root"

if [ "${1:-}" != inside ]; then
  if [ -z "${NMOS_NODE:-}" ] || [ -z "${OAUTH_SERVER:-}" ]; then
    build_server
    export NMOS_NODE="$target/debug/nmos-node" OAUTH_SERVER="${server:?}"
  fi
  need ip iproute2
  need unshare util-linux
  if ! unshare --net --map-root-user true 2>/dev/null; then
    say "######################################################################"
    say "# NOT CHECKED: discovery. Network namespaces cannot be made here.    #"
    say "######################################################################"
    [ -z "${CI:-}" ] || die "finding the server needs a network namespace"
    exit 0
  fi
  exec unshare --net --map-root-user bash "$0" inside
fi

ip link set lo up
ip link set lo multicast on
ip route add 224.0.0.0/4 dev lo
DISCOVER=multicast NMOS_HOST=localhost NMOS_PORT=$(free_port) bash examples/nmos-node/start.sh --check
