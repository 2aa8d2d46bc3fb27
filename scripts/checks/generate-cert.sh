#!/usr/bin/env bash
# Proves what scripts/generate_cert.sh promises: file modes, alternative names, a matching pair, no silent overwrite.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
make="$root/scripts/generate_cert.sh"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

passed=0
# check TEXT COMMAND...: counts a success, ends the script on a failure.
check() {
  local what=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    passed=$((passed + 1))
  else
    printf 'FAILED: %s\n' "$what" >&2
    cat "$work/output" >&2
    exit 1
  fi
}
mode_is() { [ "$(stat -c %a "$1")" = "$2" ]; }
contains() { grep -qF -- "$2" "$1"; }
refuses() { ! "$@"; }
same() { [ "$1" = "$2" ]; }
public_of_key() { openssl pkey -in "$1" -pubout; }
public_of_certificate() { openssl x509 -in "$1" -noout -pubkey; }
backups() { find "$1" -name "$2" | wc -l; }

for kind in rsa ec; do
  for mask in 000 022 077; do
    dir="$work/$kind-$mask"
    (umask "$mask" && "$make" --out "$dir" --key "$kind" --days 30 >"$work/$kind-$mask.txt")
    check "$kind, umask $mask: the private key is 0600" mode_is "$dir/privkey.pem" 600
    check "$kind, umask $mask: the certificate is 0644" mode_is "$dir/certificate.pem" 644
    check "$kind, umask $mask: the public key is 0644" mode_is "$dir/pubkey.pem" 644
    check "$kind, umask $mask: the new folder is 0700" mode_is "$dir" 700
    check "$kind, umask $mask: nothing else is left behind" same "$(find "$dir" -mindepth 1 | wc -l)" 3
  done
  dir="$work/$kind-077"
  check "$kind: the key is PKCS#8" contains "$dir/privkey.pem" "BEGIN PRIVATE KEY"
  openssl x509 -in "$dir/certificate.pem" -noout -text >"$work/text"
  check "$kind: localhost is an alternative name" contains "$work/text" "DNS:localhost"
  check "$kind: 127.0.0.1 is an alternative name" contains "$work/text" "IP Address:127.0.0.1"
  check "$kind: ::1 is an alternative name" contains "$work/text" "IP Address:0:0:0:0:0:0:0:1"
  check "$kind: it is no certificate authority" contains "$work/text" "CA:FALSE"
  check "$kind: the certificate belongs to the key" same \
    "$(public_of_key "$dir/privkey.pem")" "$(public_of_certificate "$dir/certificate.pem")"
  check "$kind: the public key belongs to the key" same "$(public_of_key "$dir/privkey.pem")" "$(cat "$dir/pubkey.pem")"
  check "$kind: the certificate verifies itself" openssl verify -CAfile "$dir/certificate.pem" "$dir/certificate.pem"
  check "$kind: it says how to import the pair" contains "$work/$kind-077.txt" \
    "oauth-server keys import $dir/privkey.pem --certificate $dir/certificate.pem"
done

dir="$work/named"
"$make" --out "$dir" --name as.example.org --name "*.api.example.org" --ip 192.0.2.7 --days 7 >/dev/null
openssl x509 -in "$dir/certificate.pem" -noout -text >"$work/text"
check "--name is an alternative name" contains "$work/text" "DNS:as.example.org"
check "a second --name too" contains "$work/text" "DNS:*.api.example.org"
check "--ip is an alternative name" contains "$work/text" "IP Address:192.0.2.7"
check "the defaults step back" refuses contains "$work/text" "DNS:localhost"
check "--days: valid after six days" openssl x509 -in "$dir/certificate.pem" -noout -checkend $((6 * 86400))
check "--days: not valid after eight" refuses openssl x509 -in "$dir/certificate.pem" -noout -checkend $((8 * 86400))

before=$(cat "$dir"/*.pem | sha256sum)
check "a second run refuses" refuses "$make" --out "$dir"
cp "$work/output" "$work/said"
check "and says what to do" contains "$work/said" "--force"
check "and changes nothing" same "$before" "$(cat "$dir"/*.pem | sha256sum)"
check "--force replaces" "$make" --out "$dir" --force
check "and keeps the old key" same "$(backups "$dir" 'privkey.pem.bak-*')" 1
check "and the old certificate" same "$(backups "$dir" 'certificate.pem.bak-*')" 1
check "and the old public key" same "$(backups "$dir" 'pubkey.pem.bak-*')" 1
check "the kept key is 0600" mode_is "$(find "$dir" -name 'privkey.pem.bak-*')" 600
check "the kept files are the old ones" same "$before" \
  "$(cat "$dir"/certificate.pem.bak-* "$dir"/privkey.pem.bak-* "$dir"/pubkey.pem.bak-* | sha256sum)"
check "--force again, within the same second" "$make" --out "$dir" --force
check "keeps both old keys" same "$(backups "$dir" 'privkey.pem.bak-*')" 2

for bad in "--name a,DNS:evil.example" "--name a/b" "--ip 10.0.0.x" "--ip localhost" "--days 0" "--days x" "--key dsa" "--out" "--what"; do
  # shellcheck disable=SC2086
  check "refuses $bad" refuses "$make" --out "$work/never" $bad
done
check "and then writes nothing" refuses test -e "$work/never"

printf 'generate_cert.sh: %d passed, 0 failed\n' "$passed"
