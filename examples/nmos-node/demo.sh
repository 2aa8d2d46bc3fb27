# Sourced by start.sh: an authority for the day, an oauth-server, and the node; asked once with --check.
# shellcheck shell=bash

root=${root:?start.sh sets it} here=${here:?start.sh sets it} node=${node:?start.sh sets it}

# demo MODE: until ctrl-c, or until everything was asked.
demo() {
  need curl curl ca-certificates
  need openssl openssl
  local server=${OAUTH_SERVER:-}
  if [ -z "$server" ]; then
    (cd "$root" && cargo build --locked --quiet -p oauth-server)
    server="$root/target/debug/oauth-server"
  fi
  folder=$(mktemp -d)
  chmod 700 "$folder"
  pids=()
  trap demo_stop EXIT
  trap 'exit 130' INT TERM
  NMOS_HOST=${NMOS_HOST:-localhost}
  NMOS_PORT=${NMOS_PORT:-$(free_port)}
  AS_PORT=$(free_port)
  [ "$AS_PORT" != "$NMOS_PORT" ] || AS_PORT=$((AS_PORT + 1))
  demo_certificates
  sed -e "s|@FOLDER@|$folder|g" -e "s|@AS_PORT@|$AS_PORT|g" -e "s|@NMOS_HOST@|$NMOS_HOST|g" \
    "$here/server.toml" >"$folder/server.toml"

  issuer="https://localhost:$AS_PORT"
  base="https://$NMOS_HOST:$NMOS_PORT/x-nmos"
  export CURL_CA_BUNDLE="$folder/ca.pem" NO_PROXY="localhost,127.0.0.1,$NMOS_HOST"
  "$server" --config "$folder/server.toml" --log-format json </dev/null >"$folder/server.log" 2>&1 &
  pids+=($!)
  wait_for "$issuer/readyz" 60 "${pids[-1]}" || demo_failed "the authorization server did not start"
  NMOS_HOST=$NMOS_HOST NMOS_PORT=$NMOS_PORT NMOS_LISTEN=127.0.0.1 ISSUER=$issuer CA_FILE="$folder/ca.pem" \
    CERTIFICATE="$folder/certificate.pem" KEY="$folder/privkey.pem" GUARD='' \
    TRUST_HOSTS='' DISCOVER='' "$node" </dev/null >"$folder/node.log" 2>&1 &
  pids+=($!)
  wait_for "$base/" 60 "${pids[-1]}" || demo_failed "the node did not start"

  if [ "$1" = --check ]; then
    demo_check
    return 0
  fi
  cat <<TEXT
The node is at $base/, its authorization server at $issuer.
Their certificates are vouched for by $folder/ca.pem; their logs are beside it.

  export CURL_CA_BUNDLE=$folder/ca.pem
  token=\$(curl -s -u a-controller-of-the-demo:a-secret-that-everybody-knows $issuer/oauth/token \\
    -d grant_type=password -d username=engineer -d password=correct-horse-battery \\
    -d scope='connection node' -d resource=https://$NMOS_HOST | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s -H "Authorization: Bearer \$token" $base/connection/v1.1/single/senders/

ctrl-c stops them.
TEXT
  wait "${pids[@]}"
}

demo_stop() {
  trap - EXIT
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  rm -rf -- "$folder"
}

demo_failed() {
  say "FAILED: $*"
  tail -n 20 "$folder"/*.log >&2
  exit 1
}

# An authority, and a certificate of its for both.
demo_certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Demo authority" \
    -keyout "$folder/ca-key.pem" -out "$folder/ca.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$NMOS_HOST" \
    -keyout "$folder/privkey.pem" -out "$folder/request.csr" 2>/dev/null
  openssl x509 -req -in "$folder/request.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" -days 2 \
    -extfile <(printf 'subjectAltName=DNS:localhost,DNS:%s\nextendedKeyUsage=serverAuth\n' "$NMOS_HOST") \
    -out "$folder/certificate.pem" 2>/dev/null
}

# demo_token USER SCOPE [RESOURCE]
demo_token() {
  curl -fsS -u a-controller-of-the-demo:a-secret-that-everybody-knows "$issuer/oauth/token" \
    -d grant_type=password -d username="$1" -d password=correct-horse-battery --data-urlencode "scope=$2" \
    -d resource="${3:-https://$NMOS_HOST}" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'
}

# expect WHAT STATUS METHOD PATH [TOKEN [BODY]]: the answer is in $folder/answer, its headers in $folder/headers.
expect() {
  local what=$1 status=$2 method=$3 path=$4 token=${5:-} body=${6:-} got arguments=()
  [ -z "$token" ] || arguments+=(-H "Authorization: Bearer $token")
  [ -z "$body" ] || arguments+=(-H 'Content-Type: application/json' --data-binary "$body")
  got=$(curl -sS --max-time 10 -o "$folder/answer" -D "$folder/headers" -w '%{http_code}' -X "$method" \
    ${arguments[@]+"${arguments[@]}"} "$base$path")
  [ "$got" = "$status" ] || demo_failed "$what: $got instead of $status: $(cat "$folder/answer")"
  say "ok   $what: $got"
}

has() { # WHAT FILE PATTERN
  grep -Eiq "$3" "$folder/$2" || demo_failed "$1: not in $(cat "$folder/$2")"
}

demo_check() {
  local engineer viewer foreign api=/connection/v1.1 sender receiver
  engineer=$(demo_token engineer 'connection node')
  viewer=$(demo_token viewer connection)
  foreign=$(demo_token engineer connection https://other.example)

  expect "the base is free" 200 GET ''
  expect "no token" 401 GET "$api/single/senders/"
  has "the challenge" headers '^www-authenticate: bearer realm="localhost"'
  has "the error object" answer '"code":401'
  expect "no token at all" 401 GET "$api/single/senders/" garbage
  has "the challenge of a bad token" headers '^www-authenticate: bearer error=invalid_token, realm='
  expect "a token for another node" 403 GET "$api/single/senders/" "$foreign"
  expect "OPTIONS" 200 OPTIONS "$api/single/senders/"
  has "the headers that may be sent" headers '^access-control-allow-headers:.*authorization'
  expect "senders" 200 GET "$api/single/senders/" "$engineer"
  has "JSON without a charset" headers '^content-type: application/json.?$'
  sender=$(sed 's|^\["\([^/]*\)/".*|\1|' "$folder/answer")
  expect "receivers" 200 GET "$api/single/receivers" "$viewer"
  receiver=$(sed 's|^\["\([^/]*\)/".*|\1|' "$folder/answer")
  expect "a viewer looks" 200 GET "$api/single/senders/$sender/staged" "$viewer"
  expect "a viewer changes nothing" 403 PATCH "$api/single/senders/$sender/staged" "$viewer" '{"master_enable":true}'
  expect "a viewer sees no nodes" 403 GET /node/v1.3/self "$viewer"
  expect "an engineer does" 200 GET /node/v1.3/self "$engineer"
  expect "an engineer changes no nodes" 403 PUT "/node/v1.3/receivers/$receiver/target" "$engineer" '{}'
  expect "a sender is switched on" 200 PATCH "$api/single/senders/$sender/staged" "$engineer" \
    '{"master_enable":true,"activation":{"mode":"activate_immediate"}}'
  expect "its transport file" 200 GET "$api/single/senders/$sender/transportfile" "$engineer"
  has "SDP" answer '^v=0'
  expect "a receiver, in three seconds" 202 PATCH "$api/single/receivers/$receiver/staged" "$engineer" \
    '{"master_enable":true,"activation":{"mode":"activate_scheduled_relative","requested_time":"3:0"}}'
  expect "which is locked meanwhile" 423 PATCH "$api/single/receivers/$receiver/staged" "$engineer" '{}'
  local end=$((SECONDS + 20))
  until expect "is it active?" 200 GET "$api/single/receivers/$receiver/active" "$engineer" 2>"$folder/waiting" &&
    grep -q '"mode":"activate_scheduled_relative"' "$folder/answer"; do
    [ "$SECONDS" -lt "$end" ] || demo_failed "it never became active"
    sleep 0.2
  done
  has "the activation" answer '"mode":"activate_scheduled_relative"'
  expect "both senders at once" 200 POST "$api/bulk/senders" "$engineer" \
    "[{\"id\":\"$sender\",\"params\":{\"master_enable\":false}},{\"id\":\"x\",\"params\":{}}]"
  has "one done, one not there" answer '"code":200.*"code":404'
  expect "climbing out of a path" 400 GET "$api/single/%2e%2e%2fbulk/senders" "$viewer"
  expect "a change that cannot be" 400 PATCH "$api/single/senders/$sender/staged" "$engineer" '{"unknown":1}'

  grep -q resource_guard::audit "$folder/node.log" || demo_failed "nothing was audited"
  ! grep -qF -e "$engineer" -e "$viewer" -e "${engineer##*.}" "$folder/node.log" || demo_failed "a token is in the log"
  say "ok   every decision is in the log, and no token"
}
