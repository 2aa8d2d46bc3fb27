#!/usr/bin/env bash
# A node finds our authorization server by what it announces by multicast DNS, and judges its tokens: both real, in a
# network of their own. Then everything else that nmos-node.sh asks.
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
  in_own_network "the server that nodes find" bash "$0" inside
  exit
fi

DISCOVER=multicast NMOS_HOST=localhost NMOS_PORT=$(free_port) bash examples/nmos-node/start.sh --check
