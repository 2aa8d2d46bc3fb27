#!/usr/bin/env bash
# The server of the profile is10 is announced by multicast DNS as AMWA IS-10 wants it, and says goodbye when it stops.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$here/lib/tools.sh"
# shellcheck source=../lib/server.sh
. "$here/lib/server.sh"

if [ "${1:-}" != inside ]; then
  server=${OAUTH_SERVER_BINARY:-}
  if [ -z "$server" ]; then
    build_server
  fi
  need python3 python3
  in_own_network "what the server announces" bash "$0" inside "$server"
  exit
fi

server=$2
work=$(mktemp -d)
listener=""
finish() {
  [ -z "$listener" ] || kill "$listener" 2>/dev/null || true
  stop_server
  rm -rf -- "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export OAUTH__KEYS__ALGORITHMS=RS512 OAUTH__DNS_SD__INTERFACES=lo OAUTH__DNS_SD__PRIORITY=7
export OAUTH__SERVER__PUBLIC_URL=http://auth.local:4999/x-nmos/auth/v1.0 OAUTH__SERVER__DANGER_PLAIN_HTTP=true
start_server "$server" "$work" --profile is10

python3 "$here/checks/dns_sd_listener.py" announced \
  "_nmos-auth._tcp.local" "auth.local" 4999 \
  api_proto=http api_ver=v1.0 pri=7 api_selector=x-nmos/auth/v1.0
# The listener says when it listens.
exec 3< <(exec python3 "$here/checks/dns_sd_listener.py" goodbye "_nmos-auth._tcp.local")
listener=$!
read -r -u 3 || die "the listener does not listen"
stop_server
wait "$listener" || die "the server did not say goodbye"
listener=""

# Switched off, it keeps quiet.
OAUTH__DNS_SD__ENABLED=false start_server "$server" "$work" --profile is10
python3 "$here/checks/dns_sd_listener.py" silence "_nmos-auth._tcp.local"
say "announced, gone and silent as it should be"
