# Sourced by start.sh: prints the [[client]] tables.
# shellcheck shell=bash

# The public halves of the keys in RFC 7515 A.3.1 and RFC 7517 A.2.
first_jwk='{ kty = "EC", crv = "P-256", use = "sig", alg = "ES256", kid = "first", x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }'
second_jwk='{ kty = "EC", crv = "P-256", use = "sig", alg = "ES256", kid = "second", x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" }'

# client ID METHOD REDIRECT_URI JWK
client() {
  local id=$1 method=$2 redirect_uri=$3 jwk=$4
  printf '\n[[client]]\nid = "%s"\nname = "Conformance client %s"\n' "$id" "$id"
  printf 'auth_method = "%s"\n' "$method"
  case $method in
    private_key_jwt | none) ;;
    *) printf 'secret = "%s-secret-of-forty-characters-or-more"\n' "$id" ;;
  esac
  printf 'redirect_uris = ["%s"]\n' "$redirect_uri"
  printf 'grant_types = ["authorization_code", "implicit", "refresh_token"]\n'
  printf 'response_types = ["code", "token", "id_token", "id_token token", "code id_token", "code token", "code id_token token", "none"]\n'
  printf 'scope = "openid profile email address phone offline_access"\n'
  printf '\n[client.metadata]\n'
  printf 'post_logout_redirect_uris = ["%s/post_logout_redirect"]\n' "$SUITE_CLIENT"
  printf 'backchannel_logout_uri = "%s/backchannel_logout"\n' "$SUITE_CLIENT"
  printf 'backchannel_logout_session_required = true\n'
  printf 'frontchannel_logout_uri = "%s/frontchannel_logout"\n' "$SUITE_CLIENT"
  printf 'frontchannel_logout_session_required = true\n'
  if [ "$method" = private_key_jwt ]; then
    printf 'jwks = { keys = [%s] }\n' "$jwk"
  fi
}

clients() {
  local method name
  for method in client_secret_basic client_secret_post client_secret_jwt private_key_jwt; do
    name=${method#client_}
    name=${name//_/-}
    client "$name-1" "$method" "$SUITE_CLIENT/callback" "$first_jwk"
    client "$name-2" "$method" "$SUITE_CLIENT/callback?dummy1=lorem&dummy2=ipsum" "$second_jwk"
  done
}
