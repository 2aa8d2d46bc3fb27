# Sourced after common.sh and tools.sh: an oauth-server on a free loopback port with a data folder of its own.
# shellcheck shell=bash

# start_server BINARY FOLDER [ARGUMENT...]: sets BASE_URL and server_pid. FOLDER gets data/ and server.log, and
# BINARY runs with it as its data folder for the commands (client create, ...) too. More settings: export OAUTH__*.
# SERVER_NAME=localhost gives the server that name, which passkeys need, in place of 127.0.0.1.
start_server() {
  local binary=$1 folder=$2 port attempt
  shift 2
  need curl curl ca-certificates
  export OAUTH__DATA_FOLDER="$folder/data"
  for attempt in 1 2 3; do
    port=$(free_port)
    BASE_URL="http://127.0.0.1:$port"
    if [ -n "${SERVER_NAME:-}" ]; then
      BASE_URL="http://$SERVER_NAME:$port"
      export OAUTH__SERVER__PUBLIC_URL="$BASE_URL"
    fi
    "$binary" --host 127.0.0.1 --port "$port" "$@" </dev/null >"$folder/server.log" 2>&1 &
    server_pid=$!
    export BASE_URL
    if wait_for "$BASE_URL/readyz" 60 "$server_pid"; then
      return 0
    fi
    say "attempt $attempt: oauth-server did not become ready on port $port; the end of its log:"
    tail -n 20 "$folder/server.log" >&2
    stop_server
  done
  die "oauth-server did not start"
}

# stop_server: SIGTERM, and after ten seconds SIGKILL.
stop_server() {
  [ -n "${server_pid:-}" ] || return 0
  kill "$server_pid" 2>/dev/null || true
  local end=$((SECONDS + 10))
  while kill -0 "$server_pid" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do sleep 0.05; done
  kill -9 "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=""
}
