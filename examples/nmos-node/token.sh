#!/usr/bin/env bash
# An access token of a person, by the authorization code flow with PKCE: what a controller and a browser do together,
# with curl in the part of both. Prints the token and nothing else.
#
#   token.sh METADATA USER SCOPE [RESOURCE]
#
#   METADATA       the address of the metadata of the authorization server
#   CLIENT, CLIENT_SECRET, REDIRECT_URI, PASSWORD   of the demonstration, unless they are set
set -euo pipefail

[ $# -ge 3 ] || {
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 2
}
metadata=$1 user=$2 scope=$3 resource=${4:-}
client=${CLIENT:-a-controller-of-the-demo} secret=${CLIENT_SECRET:-a-secret-that-everybody-knows}
redirect=${REDIRECT_URI:-https://controller.example/callback} password=${PASSWORD:-correct-horse-battery}

fail() {
  printf 'no token: %s\n' "$*" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
ask() { curl -sS --max-time 20 -c "$work/cookies" -b "$work/cookies" "$@"; }
# member NAME: a text of the JSON that is read.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
# hidden NAME: a hidden field of the page that was answered last.
hidden() { sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/\1/p" "$work/page" | head -n 1; }

described=$(ask -f "$metadata") || fail "there is no metadata at $metadata"
authorize=$(member authorization_endpoint <<<"$described")
token=$(member token_endpoint <<<"$described")
verifier=$(openssl rand -hex 32)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d =)
state=$(openssl rand -hex 16)

# The controller sends the browser away; it comes to where the person signs in.
query=(--data-urlencode "scope=$scope" --data-urlencode "redirect_uri=$redirect")
[ -z "$resource" ] || query+=(--data-urlencode "resource=$resource")
at=$(ask -G -L -o "$work/page" -w '%{url_effective}' "$authorize" "${query[@]}" -d response_type=code \
  -d client_id="$client" -d state="$state" -d code_challenge="$challenge" -d code_challenge_method=S256)
case $at in */login*) ;; *) fail "$at is not where one signs in" ;; esac
here=${at%%/login*}
at=$(ask -L -o "$work/page" -w '%{url_effective}' "$here/login" -d interaction="$(hidden interaction)" \
  --data-urlencode "username=$user" --data-urlencode "password=$password")
case $at in */consent*) ;; *) fail "$user cannot sign in" ;; esac

# The person allows what is asked, and the browser goes back with a code.
allowed=()
for word in $scope; do allowed+=(--data-urlencode "scope:$word=yes"); done
back=$(ask -o /dev/null -w '%{redirect_url}' "$here/consent" -d interaction="$(hidden interaction)" \
  -d decision=allow "${allowed[@]}")
case $back in "$redirect"\?*state="$state"*) ;; *) fail "the browser was not sent back" ;; esac
code=$(sed -n 's/.*[?&]code=\([^&]*\).*/\1/p' <<<"$back")

# The controller exchanges the code. What is secret is not in the list of processes.
exchange=(grant_type=authorization_code "code=$code" "redirect_uri=$redirect" "code_verifier=$verifier")
[ -z "$resource" ] || exchange+=("resource=$resource")
form=$(printf '%s&' "${exchange[@]}")
answer=$(printf 'user = "%s:%s"\ndata = "%s"\n' "$client" "$secret" "${form%&}" | ask -K - "$token")
access=$(member access_token <<<"$answer")
[ -n "$access" ] || fail "$answer"
printf '%s\n' "$access"
