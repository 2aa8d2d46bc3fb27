# Sourced after common.sh and tools.sh: the OpenID Provider of examples/conformance on a free loopback port, and what
# the Node clients of scripts/clients need to talk to it.
# shellcheck shell=bash

root=${root:?lib/tools.sh comes first}

# start_provider BINARY FOLDER [PROCESSES]: exports ISSUER, PARTY (where clients are) with PARTY_CERTIFICATE and
# PARTY_KEY, CONFIG, SERVER, and SERVER_PIDS with SERVER_LOGS; NODE_EXTRA_CA_CERTS has the authority of both. Several
# processes are behind one address and get its connections in turn. The end of it all is stop_provider.
start_provider() {
  local binary=$1 folder=$2 processes=${3:-1} port party i own pid ports=() logs=()
  need curl curl ca-certificates
  need openssl openssl
  port=$(free_port)
  party=$(free_port)
  export FOLDER="$folder" LISTEN=127.0.0.1 ISSUER="https://localhost:$port" SUITE="https://localhost:$party" ALIAS=check
  export CA_FILES="$folder/ca.pem" OAUTH_SERVER="$binary" ALLOWED_NETWORKS=127.0.0.0/8,::1/128
  # Clients of this check are on this machine by its name, which web clients with front-channel tokens may not be.
  export OAUTH__REGISTRATION__DANGER_LOOPBACK=true
  unset DATABASE_URL
  [ -z "${PROVIDER_DATABASE:-}" ] || export DATABASE_URL="$PROVIDER_DATABASE"
  "$root/examples/conformance/start.sh" --config >/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
    -keyout "$folder/party-key.pem" -out "$folder/party.csr" 2>/dev/null
  openssl x509 -req -in "$folder/party.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" -days 2 \
    -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n') \
    -out "$folder/party.pem" 2>/dev/null
  export PARTY="$SUITE" PARTY_CERTIFICATE="$folder/party.pem" PARTY_KEY="$folder/party-key.pem"
  export SERVER="$binary" CONFIG="$folder/server.toml" NODE_EXTRA_CA_CERTS="$folder/ca.pem"
  provider_pids=()
  if [ "$processes" -eq 1 ]; then
    "$root/examples/conformance/start.sh" </dev/null >"$folder/server.log" 2>&1 &
    provider_pids=($!)
    ports=("$port")
    logs=("$folder/server.log")
  else
    for i in $(seq "$processes"); do
      own=$(free_port)
      "$binary" --config "$CONFIG" --host 127.0.0.1 --port "$own" </dev/null >"$folder/server-$i.log" 2>&1 &
      pid=$!
      provider_pids+=("$pid")
      ports+=("$own")
      logs+=("$folder/server-$i.log")
      CURL_CA_BUNDLE="$folder/ca.pem" wait_for "https://localhost:$own/readyz" 60 "$pid" || provider_failed "$folder"
    done
  fi
  export SERVER_PIDS="${provider_pids[*]}" SERVER_LOGS="${logs[*]}"
  if [ "$processes" -gt 1 ]; then
    node "$root/scripts/clients/balance.mjs" "$port" "${ports[@]}" </dev/null >&2 &
    provider_pids+=($!)
  fi
  CURL_CA_BUNDLE="$folder/ca.pem" wait_for "$ISSUER/readyz" 60 "${provider_pids[-1]}" || provider_failed "$folder"
}

# provider_failed FOLDER
provider_failed() {
  tail -n 20 "$1"/server*.log >&2
  stop_provider
  die "the provider did not start"
}

stop_provider() {
  local pid
  for pid in ${provider_pids[@]+"${provider_pids[@]}"}; do
    # shellcheck disable=SC2034 # for stop_server
    server_pid=$pid
    stop_server
  done
  provider_pids=()
}

# make_provider_database: exports PROVIDER_DATABASE, an empty database of its own in the PostgreSQL of
# TEST_POSTGRES_URL. drop_provider_database removes it.
make_provider_database() {
  [ -n "${TEST_POSTGRES_URL:-}" ] ||
    die "TEST_POSTGRES_URL is not set: run scripts/test.sh, or eval \"\$(scripts/postgres.sh)\" first"
  need psql postgresql-client
  provider_database="foreign_$$_$RANDOM"
  psql -q -v ON_ERROR_STOP=1 -d "$TEST_POSTGRES_URL" -c "CREATE DATABASE $provider_database" </dev/null >&2
  export PROVIDER_DATABASE="${TEST_POSTGRES_URL%/*}/$provider_database"
}

drop_provider_database() {
  [ -n "${provider_database:-}" ] || return 0
  psql -q -d "$TEST_POSTGRES_URL" -c "DROP DATABASE IF EXISTS $provider_database WITH (FORCE)" </dev/null >&2 || true
  provider_database=""
}
