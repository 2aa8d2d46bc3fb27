#!/usr/bin/env bash
# Makes a key pair, a self-signed certificate for it, and the public key alone.
#
#   generate_cert.sh [--out DIR] [--name HOST]... [--ip IP]... [--days N] [--key rsa|ec] [--force]
#
#   --out DIR     where to write (default: ./certs)
#   --name HOST   a DNS name the certificate is for; may be given several times
#   --ip IP       an address the certificate is for; may be given several times
#                 (without any --name or --ip: localhost, 127.0.0.1 and ::1)
#   --days N      how long the certificate is valid (default: 365)
#   --key KIND    rsa (2048 bits, the default) or ec (P-256)
#   --force       replace what is there; the old files are kept as *.bak-TIME
#
# Writes DIR/privkey.pem (PKCS#8, readable by you alone), DIR/certificate.pem and DIR/pubkey.pem.
set -euo pipefail
# Whatever the caller's umask is: nothing made here is readable by others until it is said so below.
umask 077

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

usage() {
  sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

out=certs days=365 kind=rsa force=no
names=() addresses=()
while [ $# -gt 0 ]; do
  case "$1" in
    --out | --name | --ip | --days | --key)
      [ -n "${2:-}" ] || die "$1 needs a value (see --help)"
      case "$1" in
        --out) out=$2 ;;
        --name) names+=("$2") ;;
        --ip) addresses+=("$2") ;;
        --days) days=$2 ;;
        --key) kind=$2 ;;
      esac
      shift 2
      ;;
    --force)
      force=yes
      shift
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) die "unknown argument '$1' (see --help)" ;;
  esac
done

if [ ${#names[@]} -eq 0 ] && [ ${#addresses[@]} -eq 0 ]; then
  names=(localhost)
  addresses=(127.0.0.1 ::1)
fi
[[ $days =~ ^[1-9][0-9]{0,4}$ ]] || die "--days must be a whole number between 1 and 99999, not '$days'"
[[ $kind = rsa || $kind = ec ]] || die "--key must be rsa or ec, not '$kind'"
# The values go into a configuration file: only what a name or an address is made of may pass.
for name in "${names[@]}"; do
  [[ $name =~ ^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$ ]] || die "--name '$name' is not a host name"
done
for address in "${addresses[@]}"; do
  [[ $address =~ ^[0-9.]+$ || $address =~ ^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$ ]] || die "--ip '$address' is not an IP address"
done
command -v openssl >/dev/null || die "openssl is needed: install it first (Debian: apt-get install openssl)"

mkdir -p -- "$out" || die "cannot make the folder '$out'"
[ -w "$out" ] || die "cannot write into the folder '$out'"
out=$(cd -- "$out" && pwd)
files=(privkey.pem certificate.pem pubkey.pem)
if [ "$force" = no ]; then
  for file in "${files[@]}"; do
    [ ! -e "$out/$file" ] || die "$out/$file exists. Nothing was changed. Choose another folder with --out, or replace the pair with --force (the old files are then kept as *.bak-TIME)."
  done
fi

# Everything is made aside first, so that a failure leaves the folder as it was.
aside=$(mktemp -d "$out/.new.XXXXXXXX")
trap 'rm -rf -- "$aside"' EXIT

usage_bits="digitalSignature"
case "$kind" in
  rsa)
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$aside/privkey.pem" 2>"$aside/log" ||
      die "openssl could not make an RSA key: $(cat "$aside/log")"
    usage_bits+=", keyEncipherment"
    ;;
  ec)
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve \
      -out "$aside/privkey.pem" 2>"$aside/log" || die "openssl could not make an EC key: $(cat "$aside/log")"
    ;;
esac

subject=${names[0]:-${addresses[0]}}
{
  printf '[req]\nprompt = no\ndistinguished_name = subject\nx509_extensions = extensions\n'
  # A common name may have 64 characters at most; the alternative names are what counts.
  printf '[subject]\nCN = %s\n' "${subject:0:64}"
  printf '[extensions]\nbasicConstraints = critical, CA:FALSE\nkeyUsage = critical, %s\n' "$usage_bits"
  printf 'extendedKeyUsage = serverAuth\nsubjectKeyIdentifier = hash\nsubjectAltName = @alternatives\n'
  printf '[alternatives]\n'
  i=0
  for name in "${names[@]}"; do printf 'DNS.%d = %s\n' "$((i += 1))" "$name"; done
  i=0
  for address in "${addresses[@]}"; do printf 'IP.%d = %s\n' "$((i += 1))" "$address"; done
} >"$aside/request.cnf"

openssl req -x509 -new -sha256 -config "$aside/request.cnf" -key "$aside/privkey.pem" -days "$days" \
  -out "$aside/certificate.pem" 2>"$aside/log" || die "openssl could not make the certificate: $(cat "$aside/log")"
openssl pkey -in "$aside/privkey.pem" -pubout -out "$aside/pubkey.pem" 2>"$aside/log" ||
  die "openssl could not write the public key: $(cat "$aside/log")"
chmod 0600 "$aside/privkey.pem"
chmod 0644 "$aside/certificate.pem" "$aside/pubkey.pem"

# The old pair steps aside under one name, even when two runs fall into the same second.
stamp="bak-$(date -u +%Y%m%dT%H%M%SZ)"
suffix=$stamp i=0
taken() {
  local file
  for file in "${files[@]}"; do [ ! -e "$out/$file.$1" ] || return 0; done
  return 1
}
while taken "$suffix"; do suffix="$stamp-$((i += 1))"; done
kept=no
for file in "${files[@]}"; do
  if [ -e "$out/$file" ]; then
    mv -- "$out/$file" "$out/$file.$suffix"
    kept=yes
  fi
done
for file in "${files[@]}"; do
  mv -- "$aside/$file" "$out/$file"
done

[ "$kept" = no ] || printf 'kept the old files as *.%s\n' "$suffix"
cat <<TEXT
wrote $out/privkey.pem      the private key: keep it secret, keep it backed up
wrote $out/certificate.pem  the certificate, for $(printf '%s ' "${names[@]}" "${addresses[@]}")($days days)
wrote $out/pubkey.pem       the public key

To sign tokens with it and publish the certificate:
  oauth-server keys import $out/privkey.pem --certificate $out/certificate.pem
TEXT
