#!/usr/bin/env bash
# What the certification plans of the OpenID Foundation check, module by module, against the provider of
# examples/conformance. What is a warning there is a failure here.
#
#   scripts/checks/conformance.sh [PLAN...]      only these plans; the names are in scripts/clients/conformance.mjs
#
# The provider is two server processes behind one address, on a database of its own in the PostgreSQL of
# TEST_POSTGRES_URL; without that, one process on SQLite.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$here/lib/tools.sh"
# shellcheck source=../lib/server.sh
. "$here/lib/server.sh"
# shellcheck source=../lib/provider.sh
. "$here/lib/provider.sh"

need_clients
build_server
work=$(mktemp -d)
trap 'stop_provider; drop_provider_database; rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
processes=1
if [ -n "${TEST_POSTGRES_URL:-}" ]; then
  make_provider_database
  processes=2
fi
node "$here/../examples/conformance/plans/make.mjs" --check
start_provider "$server" "$work" "$processes"
if ! node "$here/clients/conformance.mjs" "$@"; then
  # The log of a run is long; what was refused and what went wrong says the most.
  grep -hE '"level":"(WARN|ERROR)"' "$work"/server*.log | tail -n 20 >&2 || true
  exit 1
fi
