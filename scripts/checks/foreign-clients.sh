#!/usr/bin/env bash
# Foreign clients are the judges: Authlib drives every grant and openid-client every OpenID flow against a running
# server; openid-client on SQLite, and on PostgreSQL with two server processes behind one address.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$here/lib/tools.sh"
# shellcheck source=../lib/server.sh
. "$here/lib/server.sh"
# shellcheck source=../lib/provider.sh
. "$here/lib/provider.sh"

need_python
need_clients
build_server
work=$(mktemp -d)
trap 'stop_server; drop_provider_database; rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Every one in a subshell, so that the settings of one are not those of the next.
authlib() (
  trap stop_server EXIT
  export OAUTH__GRANTS__DANGER_IMPLICIT=true OAUTH__GRANTS__DANGER_PASSWORD=true SERVER="$server"
  # The callback is on this machine.
  export OAUTH__REGISTRATION__MODE=open OAUTH__REGISTRATION__DANGER_LOOPBACK=true
  mkdir "$work/authlib"
  # shellcheck disable=SC2154
  start_server "$server" "$work/authlib"
  "$python" "$here/checks/authlib_client.py" || {
    tail -n 40 "$work/authlib/server.log" >&2
    exit 1
  }
)

openid_client() (
  trap stop_provider EXIT
  mkdir "$work/$1"
  start_provider "$server" "$work/$1" "$2"
  node "$here/clients/openid_client.mjs" || {
    tail -n 40 "$work/$1"/server*.log >&2
    exit 1
  }
)

authlib
openid_client sqlite 1
make_provider_database
openid_client postgres 2
