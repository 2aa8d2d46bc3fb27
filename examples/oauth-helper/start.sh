#!/usr/bin/env bash
# The web page with its secrets in a Redis of its own, without containers. Ends both with ctrl-c.
#
#   examples/oauth-helper/start.sh [ARGUMENT OF oauth-helper web...]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
state="${XDG_STATE_HOME:-$HOME/.local/state}/oauth-helper"
mkdir -p -m 700 "$state"
command -v redis-server >/dev/null || {
  echo "redis-server is missing (Debian: apt-get install redis-server)" >&2
  exit 1
}
helper=${OAUTH_HELPER:-}
if [ -z "$helper" ]; then
  cargo build --locked --quiet -p oauth-helper
  helper=target/debug/oauth-helper
fi
redis-server --port 0 --unixsocket "$state/redis.sock" --unixsocketperm 600 --dir "$state" --appendonly yes >"$state/redis.log" &
redis=$!
trap 'kill "$redis" 2>/dev/null || true; wait "$redis" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  [ ! -S "$state/redis.sock" ] || break
  sleep 0.05
done
export OAUTHCLIENT_MESSAGE_QUEUE__URL="redis+unix://$state/redis.sock"
"$helper" --store redis web "$@"
