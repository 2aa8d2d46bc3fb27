#!/usr/bin/env bash
# Foreign clients are the judges: Authlib drives every grant against a running server.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$here/lib/tools.sh"
# shellcheck source=../lib/server.sh
. "$here/lib/server.sh"

need_python
build_server
work=$(mktemp -d)
trap 'stop_server; rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export OAUTH__GRANTS__DANGER_IMPLICIT=true OAUTH__GRANTS__DANGER_PASSWORD=true SERVER="$server"
start_server "$server" "$work"
# shellcheck disable=SC2154
"$python" "$here/checks/authlib_client.py" || {
  tail -n 40 "$work/server.log" >&2
  exit 1
}
