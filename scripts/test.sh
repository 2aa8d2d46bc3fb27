#!/usr/bin/env bash
# Everything that must hold before a change is done. A laptop and CI run this same script.
#
#   scripts/test.sh              all steps, in order
#   scripts/test.sh STEP...      only these
#   scripts/test.sh --list       the names of the steps
#
# It installs what is missing (Debian packages, pinned npm and Python packages), starts what it needs on
# loopback, and stops it again. PostgreSQL comes from TEST_POSTGRES_URL when that is set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/tools.sh
. "$here/lib/tools.sh"
cd "$root"

# The same features, profile and flags in every step: what one step built, the next one finds.
# `--all-targets` counts the tests in, so that features that only they ask for do not cause a second build.
cargo_run() {
  local verb=$1
  shift
  cargo "$verb" --locked --quiet "$@"
}

# --- the steps -----------------------------------------------------------------------------------------

step_tools() {
  need_rust
  need curl curl ca-certificates
  need openssl openssl
  need redis-server redis-server
  need_postgres
  need_browser
  need_clients
  need_python
}

step_scripts() {
  local file
  while IFS= read -r file; do
    bash -n "$file"
  done < <(find "$here" "$root/.ci" -path '*/node_modules' -prune -o -type f \( -name '*.sh' -o -name run \) -print)
  # In a subshell, since what ends it is no reason to end everything.
  have shellcheck || (apt_install shellcheck) || true
  if have shellcheck; then
    (cd "$here" && shellcheck -x -P SCRIPTDIR ./*.sh lib/*.sh checks/*.sh)
  else
    unchecked "the scripts with shellcheck; install it once with: apt-get install shellcheck"
  fi
}

step_fmt() { cargo fmt --all -- --check -l; }

# The protocol itself knows no web framework, runtime or database; and there is one cryptography library.
step_bare() {
  cargo_run check -p oauth-core --no-default-features
  absent "oauth-core without features" 'axum|axum-core|tokio|hyper|reqwest|sea-orm|sea-query|sqlx|sqlx-core' \
    -p oauth-core --no-default-features --edges normal,build
  absent "the workspace" 'ring|openssl|openssl-sys|native-tls' --workspace --edges normal
}

# absent WHERE NAMES TREE-ARGUMENTS...: none of the packages is in that dependency tree.
absent() {
  local where=$1 names=$2 tree found
  shift 2
  tree=$(cargo tree --locked --quiet --prefix none --format '{p}' "$@")
  [ "$(wc -l <<<"$tree")" -gt 20 ] || die "cargo tree printed too little to judge: $*"
  found=$(awk '{ print $1 }' <<<"$tree" | sort -u | grep -xE "$names" || true)
  [ -z "$found" ] || die "must not be a dependency of $where: $(tr '\n' ' ' <<<"$found")(see: cargo tree -i NAME $*)"
}

step_clippy() { cargo_run clippy --workspace --all-targets -- -D warnings; }

# The server without what may be left out, and with MySQL and MariaDB, which are compiled, and said to be untested.
step_features() {
  cargo_run clippy -p oauth-server --no-default-features --features mysql -- -D warnings
}

# With the features that only tests and the server ask for, so that their text is read too.
step_doc() {
  RUSTDOCFLAGS="-D warnings" cargo_run doc --no-deps --workspace --features oauth-core/testing,oauth-core/oxide
}

# Libraries, binaries, tests and every example.
step_build() { cargo_run build --workspace --all-targets; }

step_test() {
  with_postgres
  cargo test --locked --workspace --no-fail-fast
}

# The tests of the protocol again, on the databases instead of in memory. The names are the beginnings of test modules.
step_stores() {
  local store tests name
  local names=(consent in_flight interaction oidc_ rfc6749 rfc7009 rfc7523 rfc7591 rfc7592 rfc7636 rfc7662 rfc9700)
  with_postgres
  tests=$(integration_tests oauth-core)
  for name in "${names[@]}"; do some_tests "$tests" --skip oxide "$name"; done
  for store in sqlite postgres; do
    (cd oauth-core && TEST_STORE=$store "$tests" --skip oxide "${names[@]}")
  done
}

# The configuration reference is generated; what is checked in must be what the code says.
step_config() {
  build_server
  "$server" config reference >"$work/config.md"
  diff -u docs/config.md "$work/config.md" ||
    die "docs/config.md is out of date: run: cargo run -q -p oauth-server -- config reference > docs/config.md"
}

step_deny() {
  if have cargo-deny; then
    cargo deny --offline --workspace --log-level error check bans licenses sources
  else
    unchecked "licences, banned crates and sources; install it once with: cargo install --locked cargo-deny"
  fi
}

# --- running them --------------------------------------------------------------------------------------

steps=(tools scripts fmt bare clippy features doc build test stores config deny)
# Every script in scripts/checks is a step of its own, after those.
for check in "$here"/checks/*.sh; do
  [ -e "$check" ] && steps+=("check:$(basename "$check" .sh)")
done

need_postgres() {
  [ -n "${TEST_POSTGRES_URL:-}" ] || have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ||
    apt_install postgresql
}

# Sets TEST_POSTGRES_URL, to a server of this run alone unless the caller has set it.
with_postgres() {
  [ -z "${TEST_POSTGRES_URL:-}" ] || return 0
  local started
  export TEST_POSTGRES_STATE="$work/postgres"
  started=$("$here/postgres.sh" start)
  eval "$started"
}

run_step() {
  local name=$1 begin=$SECONDS
  current=$name
  printf '\n=== %s\n' "$name"
  case "$name" in
    check:*)
      with_postgres
      bash "$here/checks/${name#check:}.sh"
      ;;
    *) "step_$name" ;;
  esac
  printf '=== %s: ok, %d s\n' "$name" $((SECONDS - begin))
  done_steps=$((done_steps + 1))
  current=""
}

work=$(mktemp -d)
current=""
done_steps=0
finish() {
  local code=$?
  trap - EXIT
  [ ! -e "$work/postgres" ] || "$here/postgres.sh" stop || true
  rm -rf -- "$work"
  if [ -n "$current" ]; then
    printf '\n=== FAILED in step: %s (again with: scripts/test.sh %s)\n' "$current" "$current"
    [ "$code" -ne 0 ] || code=1
  fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

wanted=("$@")
case "${1:-}" in
  --list)
    printf '%s\n' "${steps[@]}"
    exit 0
    ;;
  --help | -h)
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  "") wanted=("${steps[@]}") ;;
esac
for name in "${wanted[@]}"; do
  printf '%s\n' "${steps[@]}" | grep -qxF -- "$name" || die "no step '$name'; the steps are: ${steps[*]}"
done

for name in "${wanted[@]}"; do run_step "$name"; done
printf '\n=== all done in %d s\nsteps: %d passed, 0 failed\n' "$SECONDS" "$done_steps"
