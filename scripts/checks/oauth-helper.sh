#!/usr/bin/env bash
# examples/oauth-helper as people use it: every command against a real server, with a real curl; a session at a
# terminal; its pages in a headless Chromium; the keyring, where this machine has one; and what its package holds.
#
#   scripts/checks/oauth-helper.sh [package|commands|terminal|browser|keyring...]     only these parts
#
# OAUTH_SERVER_BINARY and OAUTH_HELPER_BINARY are used as they are where both are set; otherwise everything is built.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$here/lib/tools.sh"
# shellcheck source=../lib/server.sh
. "$here/lib/server.sh"

need python3 python3
need redis-server redis-server
if [ -n "${OAUTH_SERVER_BINARY:-}" ] && [ -n "${OAUTH_HELPER_BINARY:-}" ]; then
  server=$OAUTH_SERVER_BINARY helper=$OAUTH_HELPER_BINARY
else
  build_server
  helper="$target/debug/oauth-helper"
fi
work=$(mktemp -d)
page_pid="" redis_pid=""
finish() {
  [ -z "$page_pid" ] || kill "$page_pid" 2>/dev/null || true
  [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
  stop_server
  rm -rf -- "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The helper has a home of its own: nothing of the person who runs this is touched. Cargo keeps the one it has.
export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"
export HOME="$work/home" SERVER="$server" HELPER="$helper" WORK="$work"
unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR
mkdir -p "$HOME"
printf 'correct horse battery\n' >"$work/password"
chmod 600 "$work/password"
start_server "$server" "$work"
"$server" user create alice --password-file "$work/password" >/dev/null

field() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
scope="openid profile offline_access"
"$server" client create --name Helper --auth-method none --redirect-uri http://127.0.0.1/auth_callback \
  --scope "$scope" --output json >"$work/person.json"
"$server" client create --name Robot --grant-type client_credentials --scope query --output json >"$work/robot.json"
PERSON=$(field client_id <"$work/person.json")
export PERSON
robot=$(field client_id <"$work/robot.json")
field client_secret <"$work/robot.json" >"$work/robot.secret"
chmod 600 "$work/robot.secret"

# ends_with CODE COMMAND...: the command ends with this code.
ends_with() {
  local wanted=$1 code=0
  shift
  "$@" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" -eq "$wanted" ] || {
    cat "$work/out" "$work/err" >&2
    die "ended with $code instead of $wanted: $*"
  }
}

# What would be published: the whole of it, its licences, and nothing that belongs to a person or is somewhere else.
package() {
  local listed=$work/package
  (cd "$root" && cargo package --list --offline --locked --allow-dirty -p oauth-helper 2>/dev/null) >"$listed" ||
    die "cargo package --list failed"
  local file
  for file in Cargo.toml README.md LICENSE-APACHE LICENSE-MIT src/lib.rs src/main.rs templates/style.css start.sh; do
    grep -qxF "$file" "$listed" || die "$file is not in the package"
    [ -s "$root/examples/oauth-helper/$file" ] || die "$file is empty"
  done
  ! grep -E '(\.pem|\.key|\.sealed|\.env|\.sock|clients\.json|token_cache\.json|\.toml\.local)$' "$listed" ||
    die "this must not be in the package"
  ! grep -rnE 'include_(str|bytes)!\("(\.\./){2,}' "$root/examples/oauth-helper/src" ||
    die "the package would not build: this is outside of it"
  printf 'package: ok, %s files\n' "$(wc -l <"$listed")"
}

commands() {
  "$helper" client add robot --client-id "$robot" --preset server --url "$BASE_URL" --grant client_credentials \
    --scope query --secret-file - <"$work/robot.secret"
  ends_with 2 "$helper" client add robot --client-id x --preset server --url "$BASE_URL" --auth none
  ends_with 3 "$helper" token nobody
  local token again
  token=$("$helper" token robot)
  again=$("$helper" token robot)
  [ "$token" = "$again" ] || die "a token that lives was not kept"
  [ "$("$helper" header robot)" = "Authorization: Bearer $token" ] || die "the header is not that of the token"
  "$helper" refresh robot
  [ "$("$helper" token robot)" != "$token" ] || die "refresh gave the same token"
  [ "$("$helper" --json status robot | python3 -c 'import json,sys; print(json.load(sys.stdin)["status"]["state"])')" = valid ]
  # curl itself, with the real token, at an endpoint that knows the difference.
  ends_with 22 "$helper" curl robot -- -sSf -o /dev/null "$BASE_URL/oauth/userinfo"
  "$helper" client rename robot android
  "$helper" revoke android
  "$helper" client rm android
  ends_with 2 "$helper" token
  grep -q "there is no client yet" "$work/err"
  # The same with its secrets in Redis, as the start script runs it.
  redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --daemonize no >"$work/redis.log" &
  redis_pid=$!
  local end=$((SECONDS + 60))
  until grep -qsi "ready to accept connections" "$work/redis.log"; do
    kill -0 "$redis_pid" 2>/dev/null || die "Redis ended: $(cat "$work/redis.log")"
    [ "$SECONDS" -lt "$end" ] || die "Redis does not start: $(cat "$work/redis.log")"
    sleep 0.05
  done
  export OAUTHCLIENT_MESSAGE_QUEUE__URL="redis+unix://$work/redis.sock" OAUTHCLIENT_STORE__BACKEND=redis
  "$helper" --profile shared client add robot --client-id "$robot" --preset server --url "$BASE_URL" \
    --grant client_credentials --scope query --secret-file - <"$work/robot.secret"
  "$helper" --profile shared token robot >/dev/null
  "$helper" --profile shared client rm robot
  unset OAUTHCLIENT_MESSAGE_QUEUE__URL OAUTHCLIENT_STORE__BACKEND
  kill "$redis_pid"
  wait "$redis_pid" 2>/dev/null || true
  redis_pid=""
  local shell
  for shell in bash zsh fish; do "$helper" completions "$shell" | grep -q oauth-helper; done
  "$helper" completions bash | bash -n
  "$helper" certs generate --folder "$work/certs" >/dev/null
  openssl verify -CAfile "$work/certs/certificate.pem" "$work/certs/certificate.pem" >/dev/null
  printf 'commands: ok\n'
}

terminal() {
  timeout 600 python3 "$here/checks/oauth_helper_terminal.py"
}

browser() {
  need_browser
  CHROMIUM=$(command -v chromium)
  export CHROMIUM SCREENSHOTS="$target/screenshots"
  local port
  port=$(free_port)
  export PAGE="http://127.0.0.1:$port"
  "$helper" --profile page web --port "$port" </dev/null >"$work/page.log" 2>&1 &
  page_pid=$!
  wait_for "$PAGE/style.css" 60 "$page_pid" || die "the page did not start: $(cat "$work/page.log")"
  "$server" client create --name Page --auth-method none --redirect-uri "$PAGE/auth_callback" --scope "$scope" \
    --output json >"$work/page.json"
  CLIENT=$(field client_id <"$work/page.json")
  export CLIENT
  if ! timeout 300 node "$here/browser/helper/pages.mjs" </dev/null; then
    cat "$work/page.log" >&2
    die "the flow in the browser failed"
  fi
  "$helper" --profile page token mine >/dev/null && die "the client was removed on the page and is still there"
  kill "$page_pid"
  wait "$page_pid" 2>/dev/null || true
  page_pid=""
  ends_with 2 "$helper" web --host 0.0.0.0 --port "$port"
  grep -q "danger-not-loopback" "$work/err"
  printf 'browser: ok\n'
}

# A Secret Service on a bus of its own, with a keyring that is unlocked. Servers have none, and CI need not.
keyring() {
  if ! have gnome-keyring-daemon || ! have dbus-run-session; then
    unchecked "the keyring; gnome-keyring-daemon and dbus-run-session are not installed"
    return 0
  fi
  export robot
  # shellcheck disable=SC2016 # it is the inner shell that expands
  dbus-run-session -- bash -euo pipefail -c '
    printf "x" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
    "$HELPER" --profile ring --store keyring client add robot --client-id "$robot" --preset server --url "$BASE_URL" \
      --grant client_credentials --scope query --secret-file - <"$WORK/robot.secret"
    token=$("$HELPER" --profile ring --store keyring token robot)
    [ "$token" = "$("$HELPER" --profile ring --store keyring token robot)" ]
    ! grep -rqF "$token" "$HOME"/.config "$HOME"/.local/share/oauth-helper
    "$HELPER" --profile ring --store keyring client rm robot'
  printf 'keyring: ok\n'
}

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(package commands terminal browser keyring)
for part in "${parts[@]}"; do
  case "$part" in
    package | commands | terminal | browser | keyring) "$part" ;;
    *) die "no part '$part'; the parts are: package commands terminal browser keyring" ;;
  esac
done
