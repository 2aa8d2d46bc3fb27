#!/usr/bin/env bash
# Starts the NMOS node of this folder: an IS-05 Connection API and a minimal IS-04 Node API, over https, behind the guard.
#
#   start.sh            with the settings of the environment
#   start.sh --demo     with an oauth-server of its own beside it, and certificates made for the day
#   start.sh --check    as --demo, asks both what they should answer, and ends
#
#   NMOS_HOST      the host name of this node: tokens whose aud names it are meant for it
#   NMOS_PORT      the port (8443)
#   NMOS_LISTEN    the address to listen on (0.0.0.0)
#   NMOS_ADDRESS   the address of the interface for media (NMOS_LISTEN, or 127.0.0.1)
#   CERTIFICATE    its certificate, PEM, with those above it
#   KEY            the private key of the certificate, PEM
#   ECDSA_CERTIFICATE, ECDSA_KEY   a second pair, for whoever can verify ECDSA; the first is RSA then
#   ISSUER         authorization servers to trust, by issuer, between commas
#   CA_FILE        the certificate authorities that vouch for them, PEM; then those of the system count no more
#   TRUST_HOSTS    hosts on which tokens may introduce further issuers, such as *.auth.example.com
#   DISCOVER       off, on, unicast or multicast: look for authorization servers by DNS-SD (off)
#   DNS_SD_DOMAIN  the domain to look in; DNS_SERVER the name server to ask, as IP:PORT
#   GUARD          off lets everybody in
#   NMOS_NODE      the program (built if it is not given); OAUTH_SERVER the server of --demo and --check
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../../scripts/lib/common.sh
. "$root/scripts/lib/common.sh"

mode=${1:-}
case "$mode" in
  --help | -h)
    sed -n '2,24s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  "" | --demo | --check) ;;
  *) die "unknown argument '$mode' (see --help)" ;;
esac

node=${NMOS_NODE:-}
if [ -z "$node" ]; then
  (cd "$root" && cargo build --locked --quiet -p nmos-node)
  node="$root/target/debug/nmos-node"
fi
if [ -z "$mode" ]; then
  exec "$node"
fi
# shellcheck source=demo.sh
. "$here/demo.sh"
demo "$mode"
