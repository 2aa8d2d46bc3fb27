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
  # Found by multicast, the server has a name that only its announcement knows; else one that everybody knows.
  local host=localhost announced=false
  if [ "${DISCOVER:-off}" = multicast ]; then
    host=auth.local announced=true
  fi
  origin="https://$host:$AS_PORT"
  issuer="$origin/x-nmos/auth/v1.0"
  metadata="$origin/.well-known/oauth-authorization-server/x-nmos/auth/v1.0"
  demo_certificates "$host"
  sed -e "s|@FOLDER@|$folder|g" -e "s|@AS_PORT@|$AS_PORT|g" -e "s|@NMOS_HOST@|$NMOS_HOST|g" \
    -e "s|@ISSUER@|$issuer|g" -e "s|@ANNOUNCED@|$announced|g" "$here/server.toml" >"$folder/server.toml"
  printf 'resolve = "%s:%s:127.0.0.1"\n' "$host" "$AS_PORT" >"$folder/.curlrc"

  base="https://$NMOS_HOST:$NMOS_PORT/x-nmos"
  export CURL_HOME="$folder" CURL_CA_BUNDLE="$folder/ca.pem" NO_PROXY="localhost,127.0.0.1,$host,$NMOS_HOST"
  "$server" --config "$folder/server.toml" --log-format json </dev/null >"$folder/server.log" 2>&1 &
  pids+=($!)
  wait_for "$origin/readyz" 60 "${pids[-1]}" || demo_failed "the authorization server did not start"
  if [ "$announced" = true ]; then
    start_node '' multicast "$folder/ca.pem"
  else
    start_node "$issuer" '' "$folder/ca.pem"
  fi

  if [ "$1" = --check ]; then
    demo_check
    return 0
  fi
  cat <<TEXT
The node is at $base/, its authorization server at $origin/.
Their certificates are vouched for by $folder/ca.pem; their logs are beside it.

  export CURL_CA_BUNDLE=$folder/ca.pem
  token=\$($here/token.sh $metadata engineer 'connection node')
  curl -s -H "Authorization: Bearer \$token" $base/connection/v1.1/single/senders/

ctrl-c stops them.
TEXT
  wait "${pids[@]}"
}

# start_node ISSUER DISCOVER CA_FILE: a node, in place of the one before it.
start_node() {
  if [ -n "${node_pid:-}" ]; then
    kill "$node_pid" 2>/dev/null || true
    wait "$node_pid" 2>/dev/null || true
  fi
  NMOS_HOST=$NMOS_HOST NMOS_PORT=$NMOS_PORT NMOS_LISTEN=127.0.0.1 ISSUER=$1 DISCOVER=$2 CA_FILE=$3 \
    CERTIFICATE="$folder/rsa.pem" KEY="$folder/rsa-key.pem" \
    ECDSA_CERTIFICATE="$folder/ecdsa.pem" ECDSA_KEY="$folder/ecdsa-key.pem" GUARD='' TRUST_HOSTS='' \
    "$node" </dev/null >>"$folder/node.log" 2>&1 &
  node_pid=$!
  pids+=("$node_pid")
  wait_for "$base/" 60 "$node_pid" || demo_failed "the node did not start"
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

# demo_certificates HOST: an authority, and two certificates of its, RSA and ECDSA, for the server on this host and the node.
demo_certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Demo authority" \
    -keyout "$folder/ca-key.pem" -out "$folder/ca.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
  demo_certificate "$1" rsa -newkey rsa:2048
  demo_certificate "$1" ecdsa -newkey ec -pkeyopt ec_paramgen_curve:P-256
}

# demo_certificate HOST NAME KIND...: one of them, NAME.pem, and its key, NAME-key.pem.
demo_certificate() {
  local host=$1 name=$2
  shift 2
  openssl req "$@" -nodes -subj "/CN=$NMOS_HOST" \
    -keyout "$folder/$name-key.pem" -out "$folder/$name.csr" 2>/dev/null
  openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" -days 2 \
    -extfile <(printf 'subjectAltName=DNS:%s,DNS:%s\nextendedKeyUsage=serverAuth\n' "$host" "$NMOS_HOST") \
    -out "$folder/$name.pem" 2>/dev/null
}

# demo_token USER SCOPE [RESOURCE]
demo_token() {
  bash "$here/token.sh" "$metadata" "$@" || demo_failed "no token for $1"
}

# expect WHAT STATUS METHOD PATH [TOKEN [BODY]]: the answer is in $folder/answer, its headers in $folder/headers.
expect() {
  local what=$1 status=$2 got
  shift 2
  got=$(status_of "$@")
  [ "$got" = "$status" ] || demo_failed "$what: $got instead of $status: $(cat "$folder/answer")"
  say "ok   $what: $got"
}

# status_of METHOD PATH [TOKEN [BODY]]
status_of() {
  local method=$1 path=$2 token=${3:-} body=${4:-} arguments=()
  [ -z "$token" ] || arguments+=(-H "Authorization: Bearer $token")
  [ -z "$body" ] || arguments+=(-H 'Content-Type: application/json' --data-binary "$body")
  curl -sS --max-time 10 -o "$folder/answer" -D "$folder/headers" -w '%{http_code}' -X "$method" \
    ${arguments[@]+"${arguments[@]}"} "$base$path"
}

# found WHAT PATH TOKEN: until the token is good, which is when the server that issued it was found.
found() {
  local end=$((SECONDS + 30))
  until [ "$(status_of GET "$2" "$3")" = 200 ]; do
    [ "$SECONDS" -lt "$end" ] || demo_failed "$1: never, $(cat "$folder/answer")"
    sleep 0.2
  done
  say "ok   $1"
}

has() { # WHAT FILE PATTERN
  grep -Eiq "$3" "$folder/$2" || demo_failed "$1: not in $(cat "$folder/$2")"
}

# shows KIND ARGUMENT...: the certificate that the node shows to an openssl with these arguments has a key of this kind.
shows() {
  local kind=$1
  shift
  openssl s_client -connect "127.0.0.1:$NMOS_PORT" -servername "$NMOS_HOST" -CAfile "$folder/ca.pem" \
    -verify_return_error "$@" </dev/null >"$folder/shown" 2>"$folder/said" ||
    demo_failed "no certificate for $*: $(cat "$folder/said")"
  openssl x509 -in "$folder/shown" -noout -text >"$folder/answer"
  has "a certificate for $*" answer "public key algorithm: $kind\$"
  say "ok   $kind for $*"
}

# The server is found by what it announces, and believed for what its certificate says, not for the announcement.
demo_discovery() {
  local path=/connection/v1.1/single/senders/ end got
  found "the server is found by multicast, and its token is good" "$path" "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Somebody else" \
    -keyout "$folder/other-key.pem" -out "$folder/other.pem" -addext basicConstraints=critical,CA:TRUE 2>/dev/null
  start_node '' multicast "$folder/other.pem"
  # As long as it takes to find it where it is believed, and then some.
  end=$((SECONDS + 5))
  while [ "$SECONDS" -lt "$end" ]; do
    got=$(status_of GET "$path" "$1")
    [ "$got" = 503 ] || demo_failed "a server of another authority is believed: $got"
    sleep 0.2
  done
  has "when to come back" headers '^retry-after: [0-9]'
  say "ok   a server of another authority is announced in vain"
  start_node '' unicast "$folder/ca.pem"
  expect "multicast is switched off" 503 GET "$path" "$1"
  start_node '' multicast "$folder/ca.pem"
  found "with multicast it is found again" "$path" "$1"
}

demo_check() {
  local engineer viewer operator foreign api=/connection/v1.1 sender receiver
  engineer=$(demo_token engineer 'connection node')
  viewer=$(demo_token viewer connection)
  operator=$(demo_token operator connection)
  foreign=$(demo_token engineer connection https://other.example)

  expect "the base is free" 200 GET ''
  shows rsaEncryption -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256
  shows id-ecPublicKey -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
  shows rsaEncryption -tls1_3 -sigalgs RSA-PSS+SHA256
  shows id-ecPublicKey -tls1_3 -sigalgs ECDSA+SHA256
  [ "${DISCOVER:-off}" != multicast ] || demo_discovery "$engineer"
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
  expect "who may change receivers sees senders" 200 GET "$api/single/senders/$sender/staged" "$operator"
  expect "and changes none" 403 PATCH "$api/single/senders/$sender/staged" "$operator" '{"master_enable":true}'
  expect "but receivers" 200 PATCH "$api/single/receivers/$receiver/staged" "$operator" '{}'
  expect "and not many at once" 403 POST "$api/bulk/receivers" "$operator" '[]'
  expect "a sender is switched on" 200 PATCH "$api/single/senders/$sender/staged" "$engineer" \
    '{"master_enable":true,"activation":{"mode":"activate_immediate"}}'
  expect "its transport file" 200 GET "$api/single/senders/$sender/transportfile" "$engineer"
  has "SDP" answer '^v=0'
  expect "the node says so, too" 200 GET "/node/v1.3/senders/$sender" "$engineer"
  has "its subscription" answer '"subscription":[{]"active":true'
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
    "[{\"id\":\"$sender\",\"params\":{\"master_enable\":false}},{\"id\":\"00000000-0000-4000-8000-000000000000\",\"params\":{}}]"
  has "one done, one not there" answer '"code":200.*"code":404'
  expect "climbing out of a path" 400 GET "$api/single/%2e%2e%2fbulk/senders" "$viewer"
  expect "a change that cannot be" 400 PATCH "$api/single/senders/$sender/staged" "$engineer" '{"unknown":1}'

  grep -q resource_guard::audit "$folder/node.log" || demo_failed "nothing was audited"
  ! grep -qF -e "$engineer" -e "$viewer" -e "$operator" -e "${engineer##*.}" "$folder"/*.log ||
    demo_failed "a token is in a log"
  say "ok   every decision is in the log, and no token"
}
