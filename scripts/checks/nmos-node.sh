#!/usr/bin/env bash
# The node of examples/nmos-node answers over https as IS-05 and IS-10 say, with tokens of our own server.
set -euo pipefail
# shellcheck source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tools.sh"
cd "$root"

if [ -z "${NMOS_NODE:-}" ] || [ -z "${OAUTH_SERVER:-}" ]; then
  build_server
  export NMOS_NODE="$target/debug/nmos-node" OAUTH_SERVER="${server:?}"
fi
NMOS_HOST=localhost NMOS_PORT=$(free_port) bash examples/nmos-node/start.sh --check
