# Sourced after common.sh: puts in place what the checks need beyond Rust, each at most once.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

# A compiler and linker for Rust and for the C parts of aws-lc and SQLite.
need_rust() {
  have cargo || PATH="$PATH:${CARGO_HOME:-${HOME:-/nonexistent}/.cargo}/bin"
  have cargo || die "cargo is missing: install Rust with rustup first"
  need cc build-essential
}

# npm_packages FOLDER: Node and the pinned packages of a folder of scripts/.
npm_packages() {
  need node nodejs
  need npm npm
  local at="$root/scripts/$1" stamp
  stamp="$at/node_modules/.installed"
  if [ ! -f "$stamp" ] || [ "$at/package-lock.json" -nt "$stamp" ]; then
    say "installing the pinned npm packages of scripts/$1"
    (cd "$at" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error </dev/null >&2) ||
      die "npm ci failed in scripts/$1"
    touch "$stamp"
  fi
}

# A Chromium and what drives it.
need_browser() {
  need chromium chromium
  npm_packages browser
}

# The clients that drive the provider.
need_clients() { npm_packages clients; }

# A Python with the pinned packages of scripts/checks/requirements.txt; sets $python.
need_python() {
  need python3 python3
  local at="$target/venv" wanted="$root/scripts/checks/requirements.txt"
  # Debian keeps the pieces of venv in a package of their own.
  python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
  if ! cmp -s "$wanted" "$at/installed.txt"; then
    say "installing the pinned Python packages"
    rm -rf -- "$at"
    python3 -m venv "$at" >&2 || die "python3 -m venv failed"
    "$at/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
      -r "$wanted" </dev/null >&2 || die "pip could not install scripts/checks/requirements.txt"
    cp "$wanted" "$at/installed.txt"
  fi
  # shellcheck disable=SC2034 # for the script that sourced this
  python="$at/bin/python"
}

# integration_tests PACKAGE: prints the path of its integration tests as they are built with the whole workspace. Another
# choice of packages would have other features, and would build everything once more.
integration_tests() {
  need_rust
  need python3 python3
  (cd "$root" && cargo test --locked --quiet --workspace --no-run --message-format=json) | python3 -c '
import json, sys
found = [
    m["executable"]
    for m in map(json.loads, sys.stdin)
    if m["reason"] == "compiler-artifact" and m["executable"] and m["target"]["name"] == "it"
    and m["manifest_path"].endswith("/" + sys.argv[1] + "/Cargo.toml")
]
print(*found)
sys.exit(len(found) != 1)
' "$1" || die "the tests of $1 were not built"
}

# some_tests BINARY ARGUMENT...: dies unless these arguments choose a test. Choosing none would be a success.
some_tests() { "$@" --list | grep -c ': test$' >/dev/null || die "there is no test for: ${*:2}"; }

# build_server: the debug oauth-server with the features every other step uses; sets $server. With the path of one in
# OAUTH_SERVER_BINARY nothing is built.
build_server() {
  if [ -n "${OAUTH_SERVER_BINARY:-}" ]; then
    server=$OAUTH_SERVER_BINARY
    return 0
  fi
  need_rust
  (cd "$root" && cargo build --locked --quiet --workspace --all-targets) || die "the build failed"
  # shellcheck disable=SC2034
  server="$target/debug/oauth-server"
  [ -x "$server" ] || die "$server was not built"
}
