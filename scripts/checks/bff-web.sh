#!/usr/bin/env bash
# Drives examples/bff-web with Chromium, an oauth-server behind it: signs in, refreshes, signs out, and looks for tokens
# and session secrets wherever a script of the page could find one. Screenshots are in target/screenshots.
#
# OAUTH_SERVER_BINARY and BFF_WEB_BINARY name binaries that are built already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$here/lib/tools.sh"
# shellcheck source=../lib/server.sh
. "$here/lib/server.sh"

need_browser
build_server
web=${BFF_WEB_BINARY:-$target/debug/bff-web}
[ -x "$web" ] || die "$web was not built"
CHROMIUM=$(command -v chromium)
export CHROMIUM SCREENSHOTS="$target/screenshots"

work=$(mktemp -d)
web_pid=""
finish() {
  [ -z "$web_pid" ] || kill "$web_pid" 2>/dev/null || true
  stop_server
  rm -rf -- "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The provider goes by the address of the page: they are one origin.
port=$(free_port)
export OAUTH__SERVER__PUBLIC_URL="http://127.0.0.1:$port" OAUTH__SERVER__TRUSTED_PROXIES="127.0.0.0/8"
export OAUTH__LOGS__LEVEL=trace
start_server "$server" "$work"
PROVIDER="$BASE_URL" LISTEN="127.0.0.1:$port" "$web" </dev/null >"$work/web.log" 2>&1 &
web_pid=$!
export BASE_URL="$OAUTH__SERVER__PUBLIC_URL" SECRETS="$work/secrets"
: >"$SECRETS"
wait_for "$BASE_URL/app/" 60 "$web_pid" || die "bff-web did not start: $(tail -n 20 "$work/web.log")"

if ! timeout 300 node "$here/browser/bff_web.mjs" </dev/null; then
  say "the end of the logs:"
  tail -n 20 "$work/server.log" "$work/web.log" >&2
  exit 1
fi
[ -s "$SECRETS" ] || die "the browser noted no secrets"
for log in "$work/server.log" "$work/web.log"; do
  ! grep -qFf "$SECRETS" "$log" || die "secrets of the browser are in $(basename "$log")"
done
say "bff-web: ok"
