#!/usr/bin/env bash
# A throw-away PostgreSQL for tests, on a free loopback port, without a password.
#
#   eval "$(scripts/postgres.sh)"    start it, or find the one that runs, and set TEST_POSTGRES_URL
#   scripts/postgres.sh status       exit 0 when it runs, 1 when it does not
#   scripts/postgres.sh stop         stop it and remove its files
#
# It trades durability for speed (fsync is off) and trusts every local connection: never keep data in it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"

# What runs for this clone is written down here: line 1 the folder, line 2 the port.
# With another file in TEST_POSTGRES_STATE, another server.
state=${TEST_POSTGRES_STATE:-$here/../target/postgres/state}

find_binaries() {
  local at newest=""
  if have initdb && have pg_ctl; then
    dirname "$(command -v initdb)"
    return 0
  fi
  for at in /usr/lib/postgresql/*/bin; do
    if [ -x "$at/initdb" ] && [ -x "$at/pg_ctl" ]; then
      newest=$(printf '%s\n%s\n' "$newest" "$at" | sort -V | tail -n 1)
    fi
  done
  printf '%s\n' "$newest"
}

# PostgreSQL refuses to run as root: become the user that Debian's package made.
as_owner() {
  if [ "$(id -u)" -eq 0 ]; then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

# Sets folder, data and port from the state file; false when there is none.
read_state() {
  folder="" port=""
  [ -f "$state" ] || return 1
  { read -r folder && read -r port; } <"$state" || return 1
  data="$folder/data"
  [ -n "$folder" ] && [ -n "$port" ] && [ -d "$folder" ]
}

running() {
  read_state && (cd / && as_owner "$bin/pg_ctl" status -D "$data") >/dev/null 2>&1 && answers "$port"
}

remove() {
  if [ -n "${folder:-}" ] && [ -d "$folder" ]; then
    (cd / && as_owner "$bin/pg_ctl" stop -D "$folder/data" -m immediate -w -t 30) >/dev/null 2>&1 || true
    rm -rf -- "$folder"
  fi
  rm -f -- "$state"
}

create() {
  folder=$(mktemp -d "${TMPDIR:-/tmp}/test-postgres.XXXXXXXX")
  data="$folder/data"
  trap remove EXIT
  if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || die "there is no user 'postgres', and PostgreSQL refuses to run as root"
    chown postgres "$folder"
    # The folder may lie below one that user cannot enter.
    as_owner test -w "$folder" || die "the user 'postgres' cannot write to $folder: set TMPDIR to a place it can enter"
  fi
  local log="$folder/log"
  cd /
  as_owner env LC_ALL=C "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync \
    >/dev/null || die "initdb failed"
  as_owner tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
log_min_messages = warning
CONF
  local attempt
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    # The lock (descriptor 9) stays ours: the server must not inherit it.
    if as_owner env LC_ALL=C "$bin/pg_ctl" start -D "$data" -l "$log" -o "-p $port" -w -t 60 \
      </dev/null >/dev/null 2>&1 9>&-; then
      printf '%s\n%s\n' "$folder" "$port" >"$state"
      trap - EXIT
      return 0
    fi
    say "attempt $attempt: PostgreSQL did not start on port $port"
  done
  tail -n 20 "$log" >&2 || true
  die "PostgreSQL did not start"
}

command=${1:-start}
case "$command" in
  start | status | stop) ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

bin=$(find_binaries)
if [ -z "$bin" ]; then
  [ "$command" != stop ] || exit 0
  [ "$command" != status ] || exit 1
  apt_install postgresql
  bin=$(find_binaries)
  [ -n "$bin" ] || die "initdb and pg_ctl are still missing after installing postgresql"
fi

# Two callers at once must not start two servers.
mkdir -p "$(dirname "$state")"
state="$(cd "$(dirname "$state")" && pwd)/$(basename "$state")"
if have flock; then
  exec 9>"$state.lock"
  flock 9
fi

case "$command" in
  status)
    running
    ;;
  stop)
    read_state || true
    remove
    ;;
  start)
    if running; then
      say "PostgreSQL runs on 127.0.0.1:$port"
    else
      read_state || true
      remove
      create
      say "started PostgreSQL on 127.0.0.1:$port (files in $folder)"
    fi
    printf 'export TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:%s/postgres\n' "$port"
    ;;
esac
