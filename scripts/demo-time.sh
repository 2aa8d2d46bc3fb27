#!/usr/bin/env bash
# Starts the three services of examples/time-system and stops them together.
#   scripts/demo-time.sh           until ctrl-c
#   scripts/demo-time.sh --check   asks every question once, checks the answers, stops; on ports of its own
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
cd "$here/.."

check=no
[ "${1:-}" = --check ] && check=yes

# A check finds what the whole workspace was built to, and builds nothing a second time.
if [ "$check" = yes ]; then
  cargo build --locked --quiet --workspace --all-targets
else
  cargo build --quiet -p oauth-server -p time-system
fi
bin=${CARGO_TARGET_DIR:-target}/debug
logs=$(mktemp -d)
data=$(mktemp -d)
pids=()

stop() {
  kill "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  rm -rf "$data"
  [ "$check" = no ] || rm -rf "$logs"
}
trap stop EXIT
trap 'exit 130' INT TERM

start() { # NAME PORT PATH COMMAND...
  local name=$1 port=$2 path=$3
  shift 3
  ! answers "$port" || die "something else listens on port $port"
  "$@" >"$logs/$name.log" 2>&1 &
  pids+=($!)
  if ! wait_for "http://127.0.0.1:$port$path" 60 "${pids[-1]}"; then
    cat "$logs/$name.log" >&2
    die "$name did not start"
  fi
}

issuer_port=5001 resource_port=5002 webapp_port=5003
if [ "$check" = yes ]; then
  issuer_port=$(free_port)
  resource_port=$(free_port)
  webapp_port=$(free_port)
  export OAUTH__SERVER__PORT="$issuer_port" TIME__ISSUER="http://127.0.0.1:$issuer_port"
  export TIME__RESOURCE__PORT="$resource_port" TIME__WEBAPP__PORT="$webapp_port"
  export TIME__WEBAPP__RESOURCE_URL="http://127.0.0.1:$resource_port"
fi
start authorization-server "$issuer_port" /readyz \
  env OAUTH__DATA_FOLDER="$data" "$bin/oauth-server" --config examples/time-system/as.toml --log-format json
start resource "$resource_port" /livez "$bin/time-resource"
start webapp "$webapp_port" /livez "$bin/time-webapp"

if [ "$check" = no ]; then
  echo "All three services are up. Their logs are in $logs."
  echo
  echo "  curl http://localhost:5003/current_time"
  echo "  curl http://localhost:5003/epoch_time"
  echo
  echo "ctrl-c stops them."
  wait "${pids[@]}"
  exit 0
fi

issuer=localhost:$issuer_port resource=localhost:$resource_port webapp=localhost:$webapp_port
fail() { echo "FAILED: $*" >&2; tail -n 20 "$logs"/*.log >&2; exit 1; }
like() { # WHAT TEXT PATTERN
  grep -Eq "$3" <<<"$2" || fail "$1: got '$2'"
  echo "ok   $1: $2"
}

like "current time" "$(curl -fsS "$webapp/current_time")" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$'
like "epoch time" "$(curl -fsS "$webapp/epoch_time")" '^[0-9]{10}$'
like "the web app's own token" "$(curl -fsS "$webapp/service/epoch_time")" '^[0-9]{10}$'
like "no token" "$(curl -s -o /dev/null -w '%{http_code}' "$resource/current_time")" '^401$'

curl -fsS -H 'x-request-id: demo-check-1' "$webapp/current_time" >/dev/null
for name in authorization-server resource webapp; do
  grep -q '"demo-check-1"' "$logs/$name.log" || fail "the request id is not in the log of $name"
done
echo "ok   one request id runs through the logs of all three"

token() { # SCOPE
  curl -fsS -u 1234:qwerty "$issuer/oauth/token" -d grant_type=password \
    -d username=anybody -d password=anything -d resource=urn:example:time --data-urlencode "scope=$1" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'
}
status() { curl -s -o /dev/null -w '%{http_code}' -H "authorization: Bearer $1" "$resource/$2"; }
# One for each question, since two questions may take long on a busy machine.
narrow=$(token epoch_time)
like "a token for one scope" "$(status "$narrow" epoch_time)" '^200$'
like "the other scope" "$(status "$(token epoch_time)" current_time)" '^403$'
sleep 6 # the token lives five seconds; this is its end, not a race
like "the same token six seconds later" "$(status "$narrow" epoch_time)" '^401$'

if grep -l -e qwerty -e bob-pass -e "$narrow" "$logs"/*.log; then fail "a secret is in a log"; fi
echo "ok   no secret is in any log"

if OAUTH__DATA_FOLDER="$data" "$bin/oauth-server" --config examples/time-system/as.toml --mode production --check-config >/dev/null 2>&1; then
  fail "the demo configuration was accepted in production"
fi
echo "ok   production refuses the demo configuration"
if TIME__MODE=production "$bin/time-webapp" >/dev/null 2>&1; then fail "the web app runs in production with demo credentials"; fi
echo "ok   production refuses the demo credentials"
