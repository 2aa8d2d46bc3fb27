#!/usr/bin/env bash
# Drives the server's pages with a headless Chromium: every scripts/browser/flows/*.mjs, each with a server of its own.
#
#   scripts/checks/browser.sh [FLOW...]     only these flows, by the name of their file without .mjs
#
# A flow finds BASE_URL (the server), SERVER (the oauth-server binary, whose commands work on the same data, as
# OAUTH__DATA_FOLDER is set), SERVER_LOG in a folder of its own, and OTHER_PORT (for one more server) in its
# environment. A first line such as `// settings: OAUTH__SIGNUP__OPEN=false` adds settings to its server, and so does a
# file FLOW.toml beside it.
# The server logs everything it can (level trace), and afterwards nothing that a browser typed, sent or was given in
# confidence may stand in that log: lib.mjs collects such texts in the file SECRETS.
# Screenshots are in target/screenshots.
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
CHROMIUM=$(command -v chromium)
export CHROMIUM SERVER="$server" SCREENSHOTS="$target/screenshots"

work=$(mktemp -d)
finish() {
  local running
  running=$(jobs -p)
  # shellcheck disable=SC2086 # one word for each
  [ -z "$running" ] || kill $running 2>/dev/null || true
  wait || true
  rm -rf -- "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# one_flow FILE: in a subshell, so that the settings of one flow are not those of the next.
one_flow() (
  set -e
  local file=$1 folder settings
  folder="$work/$(basename "$file" .mjs)"
  mkdir "$folder"
  settings=$(sed -n '1s|^// settings: ||p' "$file")
  # The settings are words of ours: NAME=VALUE, separated by spaces.
  # shellcheck disable=SC2086,SC2163
  [ -z "$settings" ] || export $settings
  OTHER_PORT=$(free_port)
  export OTHER_PORT
  if [ -f "${file%.mjs}.toml" ]; then
    export OAUTH_CONFIG="$folder/server.toml"
    sed "s/@OTHER_PORT@/$OTHER_PORT/g" "${file%.mjs}.toml" >"$OAUTH_CONFIG"
  fi
  trap stop_server EXIT
  export OAUTH__LOGS__LEVEL="${OAUTH__LOGS__LEVEL:-trace}"
  start_server "$server" "$folder"
  export SERVER_LOG="$folder/server.log" SECRETS="$folder/secrets"
  : >"$SECRETS"
  if timeout 600 node "$file" </dev/null; then
    no_secret_in "$SERVER_LOG" "$SECRETS"
    return
  fi
  say "the end of what servers logged:"
  tail -n 40 "$folder"/*.log >&2
  return 1
)

# no_secret_in LOG SECRETS: none of these texts, and nothing that looks like a token or a private key, is in the log.
no_secret_in() {
  local log=$1 secrets=$2 found
  [ -s "$secrets" ] || die "the browser noted no secrets: is nothing typed in this flow?"
  found=$(grep -oFf "$secrets" "$log" | sort -u | head -n 5 || true)
  [ -z "$found" ] || die "secrets of the browser are in the server's log: $(grep -Ff "$secrets" "$log" | head -n 3)"
  found=$(grep -oE 'PRIVATE KEY|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.' "$log" | head -n 5 || true)
  [ -z "$found" ] || die "tokens or keys are in the server's log: $found"
}

flows=()
if [ $# -gt 0 ]; then
  for name in "$@"; do flows+=("$here/browser/flows/$name.mjs"); done
else
  for file in "$here"/browser/flows/*.mjs; do [ ! -e "$file" ] || flows+=("$file"); done
fi
[ ${#flows[@]} -gt 0 ] || die "there is no flow in scripts/browser/flows"

# tell FILE: runs a flow, and says in one piece what it said and what came of it.
tell() {
  local file=$1 name begin=$SECONDS code
  name=$(basename "$file" .mjs)
  # As a condition, `set -e` would not hold within the flow.
  set +e
  one_flow "$file" >"$work/$name.said" 2>&1
  code=$?
  set -e
  if [ "$code" -eq 0 ]; then
    printf '%s: ok, %d s\n' "$name" $((SECONDS - begin)) >>"$work/$name.said"
    : >"$work/$name.passed"
  else
    printf '%s: FAILED\n' "$name" >>"$work/$name.said"
  fi
  cat "$work/$name.said"
}

# Two at a time: a flow waits for its browser more than it computes.
for file in "${flows[@]}"; do
  [ -f "$file" ] || die "no flow $(basename "$file" .mjs)"
done
for file in "${flows[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
  tell "$file" &
done
wait
passed=$(find "$work" -maxdepth 1 -name '*.passed' | wc -l)
printf 'browser flows: %d passed, %d failed\n' "$passed" $((${#flows[@]} - passed))
[ "$passed" -eq ${#flows[@]} ]
