#!/usr/bin/env bash
# Starts an OpenID Provider that an outside conformance suite can be pointed at, and serves until ctrl-c.
#
# Everything has a default and can be set in the environment:
#   ISSUER            the issuer, and the host of the certificate      https://localhost:9443
#   LISTEN            the address to listen on                         0.0.0.0
#   SUITE             where the suite is                               https://localhost.emobix.co.uk:8443
#   ALIAS             the alias of the plan in the suite               oauth-server
#   DATABASE_URL      where to store everything                        SQLite in the folder below
#   FOLDER            certificates, configuration and data             target/conformance
#   ALLOWED_NETWORKS  networks that clients may be in, with commas     127.0.0.0/8,::1/128,172.16.0.0/12,192.168.0.0/16,10.0.0.0/8
#   CA_FILES          PEM files of authorities of the suite, with commas
#   USERNAME, PASSWORD  who can sign in                                ada, correct-horse-battery
#   OAUTH_SERVER      the binary                                       built first
# With --config, the configuration is made and printed, and nothing is started.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=examples/conformance/clients.sh
. examples/conformance/clients.sh

ISSUER=${ISSUER:-https://localhost:9443}
LISTEN=${LISTEN:-0.0.0.0}
SUITE=${SUITE:-https://localhost.emobix.co.uk:8443}
ALIAS=${ALIAS:-oauth-server}
FOLDER=${FOLDER:-target/conformance}
ALLOWED_NETWORKS=${ALLOWED_NETWORKS:-127.0.0.0/8,::1/128,172.16.0.0/12,192.168.0.0/16,10.0.0.0/8}
USERNAME=${USERNAME:-ada}
PASSWORD=${PASSWORD:-correct-horse-battery}
SUITE_CLIENT=$SUITE/test/a/$ALIAS

authority=${ISSUER#https://}
authority=${authority%%/*}
host=${authority%:*}
port=${authority##*:}
[ "$port" != "$authority" ] || port=443
umask 077
mkdir -p "$FOLDER"

# An authority and a certificate for the host, made again when it has another name or is about to expire.
if [ "$(cat "$FOLDER/host" 2>/dev/null)" != "$host" ] ||
  ! openssl x509 -checkend 86400 -noout -in "$FOLDER/server.pem" >/dev/null 2>&1; then
  case $host in
    *[!0-9.]*) name="DNS:$host,DNS:localhost,IP:127.0.0.1" ;;
    *) name="IP:$host,DNS:localhost,IP:127.0.0.1" ;;
  esac
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Conformance CA" \
    -keyout "$FOLDER/ca-key.pem" -out "$FOLDER/ca.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$host" \
    -keyout "$FOLDER/server-key.pem" -out "$FOLDER/server.csr" 2>/dev/null
  openssl x509 -req -in "$FOLDER/server.csr" -CA "$FOLDER/ca.pem" -CAkey "$FOLDER/ca-key.pem" -days 30 \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$name") \
    -out "$FOLDER/leaf.pem" 2>/dev/null
  cat "$FOLDER/leaf.pem" "$FOLDER/ca.pem" >"$FOLDER/server.pem"
  printf '%s' "$host" >"$FOLDER/host"
fi

quoted() { # a,b -> "a", "b"
  local list=${1:-}
  [ -z "$list" ] || printf '"%s"' "${list//,/\", \"}"
}
plain() { # text as sed takes it for a replacement
  printf '%s' "$1" | sed 's/[\\&|]/\\&/g'
}
database=
[ -z "${DATABASE_URL:-}" ] || database="url = \"$DATABASE_URL\""
fill() {
  sed -e "s|@FOLDER@|$FOLDER|g" -e "s|@LISTEN@|$LISTEN|g" -e "s|@PORT@|$port|g" -e "s|@ISSUER@|$ISSUER|g" \
    -e "s|@DATABASE@|$(plain "$database")|g" -e "s|@ALLOWED_NETWORKS@|$(quoted "$ALLOWED_NETWORKS")|g" \
    -e "s|@CA_FILES@|$(quoted "${CA_FILES:-}")|g" -e "s|@USERNAME@|$(plain "$USERNAME")|g" -e "s|@PASSWORD@|$(plain "$PASSWORD")|g" \
    examples/conformance/server.toml
  clients
}
fill >"$FOLDER/server.toml"
if [ "${1:-}" = --config ]; then
  cat "$FOLDER/server.toml"
  exit 0
fi

if [ -z "${OAUTH_SERVER:-}" ]; then
  cargo build --quiet --release -p oauth-server
  OAUTH_SERVER=${CARGO_TARGET_DIR:-target}/release/oauth-server
fi
cat >&2 <<END
issuer             $ISSUER
authority          $FOLDER/ca.pem
sign in as         $USERNAME / $PASSWORD
callbacks of       $SUITE_CLIENT
clients            secret-basic-1, secret-basic-2, secret-post-1, ... private-key-jwt-2: see $FOLDER/server.toml
END
exec "$OAUTH_SERVER" --config "$FOLDER/server.toml"
