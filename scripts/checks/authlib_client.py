"""Authlib plays the client through every grant. BASE_URL is the server, SERVER its binary, whose commands work on the same data.

The browser is `requests` with a cookie jar: it follows redirects by hand and fills in the forms it is shown.
"""

import json
import os
import re
import subprocess
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

BASE = os.environ["BASE_URL"]
CALLBACK = "http://127.0.0.1:9/callback"
USER, PASSWORD = "alice", "correct horse battery"
PATIENCE = 60
passed = 0


def ok(what, condition, seen=""):
    global passed
    if not condition:
        raise SystemExit(f"FAILED: {what} {seen}")
    passed += 1
    print(f"ok   {what}")


def command(*words, stdin=None):
    run = subprocess.run([os.environ["SERVER"], *words], input=stdin, text=True, capture_output=True)
    if run.returncode:
        raise SystemExit(f"FAILED: {' '.join(words)}: {run.stderr}")
    return run.stdout


def client(*words):
    made = json.loads(command("client", "create", "--output", "json", "--name", "Authlib", *words))
    return made["client_id"], made.get("client_secret")


def session(credentials, **more):
    return OAuth2Session(*credentials, redirect_uri=CALLBACK, **more)


class Browser:
    """Follows redirects until they leave the server, and fills in forms."""

    def __init__(self):
        self.http = requests.Session()

    def visit(self, url):
        return self.follow(self.http.get(url, allow_redirects=False, timeout=PATIENCE))

    def follow(self, answer):
        while answer.is_redirect:
            to = answer.headers["location"]
            if to.startswith("/"):
                to = BASE + to
            if not to.startswith(BASE + "/"):
                return to
            answer = self.http.get(to, allow_redirects=False, timeout=PATIENCE)
        return answer

    def submit(self, page, action, **fields):
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        ticks = re.findall(r'<input type="checkbox"[^>]*name="([^"]+)" value="([^"]*)" checked', page.text)
        answer = self.http.post(
            BASE + action, data={**hidden, **dict(ticks), **fields}, headers={"origin": BASE}, allow_redirects=False, timeout=PATIENCE
        )
        return self.follow(answer)

    def authorize(self, url, decision="allow"):
        """Signs in and decides; returns where the browser is sent."""
        there = self.visit(url)
        if isinstance(there, requests.Response) and 'action="/login"' in there.text:
            there = self.submit(there, "/login", username=USER, password=PASSWORD)
        if isinstance(there, requests.Response) and 'action="/consent"' in there.text:
            there = self.submit(there, "/consent", decision=decision)
        if isinstance(there, requests.Response):
            raise SystemExit(f"FAILED: the flow ends on a page: {there.status_code} {there.text[:2000]}")
        return there


def error(of):
    try:
        of()
    except OAuthError as e:
        return e.error
    return "no error"


def metadata():
    document = requests.get(BASE + "/.well-known/oauth-authorization-server", timeout=PATIENCE).json()
    ok("metadata names its issuer", document["issuer"] == BASE, document["issuer"])
    ok("metadata lists the grants that are on", {"implicit", "password"} <= set(document["grant_types_supported"]))
    return document


def claims_of(token, document):
    keys = KeySet.import_key_set(requests.get(document["jwks_uri"], timeout=PATIENCE).json())
    decoded = jwt.decode(token, keys, algorithms=["ES256", "RS256"])
    ok("the access token is an at+jwt", decoded.header["typ"] == "at+jwt", decoded.header)
    return decoded.claims


def client_credentials(document):
    for method in ("client_secret_basic", "client_secret_post"):
        mine = client("--grant-type", "client_credentials", "--scope", "registration query", "--auth-method", method)
        http = session(mine, scope="query", token_endpoint_auth_method=method)
        token = http.fetch_token(document["token_endpoint"], grant_type="client_credentials")
        ok(f"client credentials by {method}", token["token_type"] == "Bearer" and token["scope"] == "query", token)
        claims = claims_of(token["access_token"], document)
        ok("its subject is the client", claims["sub"] == claims["client_id"] == mine[0], claims)
        wrong = session((mine[0], "wrong"), token_endpoint_auth_method=method)
        code = error(lambda: wrong.fetch_token(document["token_endpoint"], grant_type="client_credentials"))
        ok("a wrong secret is invalid_client", code == "invalid_client", code)
        wide = session(mine, scope="query everything", token_endpoint_auth_method=method)
        code = error(lambda: wide.fetch_token(document["token_endpoint"], grant_type="client_credentials"))
        ok("a scope too wide is invalid_scope", code == "invalid_scope", code)


def opaque(document):
    mine = client("--grant-type", "client_credentials", "--scope", "query", "--access-token-format", "opaque")
    http = session(mine)
    token = http.fetch_token(document["token_endpoint"], grant_type="client_credentials")["access_token"]
    ok("an opaque token has no dots", "." not in token)
    seen = http.introspect_token(document["introspection_endpoint"], token=token).json()
    ok("introspection describes it", seen["active"] and seen["client_id"] == mine[0] and seen["scope"] == "query", seen)
    ok("revocation answers 200", http.revoke_token(document["revocation_endpoint"], token=token).status_code == 200)
    seen = http.introspect_token(document["introspection_endpoint"], token=token).json()
    ok("a revoked token is inactive and nothing else", seen == {"active": False}, seen)


def code(document, *, public):
    how = ["--auth-method", "none"] if public else []
    mine = client("--redirect-uri", CALLBACK, "--scope", "profile connection", *how)
    method = "none" if public else "client_secret_basic"
    http = session(mine, scope="profile", code_challenge_method="S256", token_endpoint_auth_method=method)
    verifier = generate_token(48)
    url, state = http.create_authorization_url(document["authorization_endpoint"], code_verifier=verifier)
    browser = Browser()
    back = browser.authorize(url)
    answer = parse_qs(urlsplit(back).query)
    ok("the answer carries state and iss", answer["state"] == [state] and answer["iss"] == [BASE], answer)
    token = http.fetch_token(document["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state)
    ok("code gives access and refresh token", {"access_token", "refresh_token"} <= set(token), token.keys())
    claims = claims_of(token["access_token"], document)
    ok("the subject is a user", claims["sub"] != mine[0] and claims["client_id"] == mine[0], claims)
    first = token["refresh_token"]
    again = http.refresh_token(document["token_endpoint"], refresh_token=first)
    ok("refresh rotates", again["refresh_token"] != first)
    repeated = error(lambda: http.fetch_token(document["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state))
    ok("a second use of the code is invalid_grant", repeated == "invalid_grant", repeated)
    dead = error(lambda: http.refresh_token(document["token_endpoint"], refresh_token=again["refresh_token"]))
    ok("and revokes what was issued from it", dead == "invalid_grant", dead)
    url, state = http.create_authorization_url(document["authorization_endpoint"], code_verifier=generate_token(48), prompt="consent")
    refused = parse_qs(urlsplit(browser.authorize(url, decision="deny")).query)
    ok("a no is access_denied with state and iss", refused["error"] == ["access_denied"] and refused["state"] == [state], refused)


def implicit(document):
    mine = client("--redirect-uri", CALLBACK, "--scope", "profile", "--grant-type", "implicit", "--auth-method", "none")
    http = session(mine, scope="profile", token_endpoint_auth_method="none")
    url, state = http.create_authorization_url(document["authorization_endpoint"], response_type="token")
    back = Browser().authorize(url)
    token = http.token_from_fragment(back, state)
    ok("implicit answers in the fragment", token["access_token"] and int(token["expires_in"]) > 0 and "?" not in back, back)
    ok("and gives no refresh token", "refresh_token" not in token)


def password(document):
    mine = client("--grant-type", "password", "--grant-type", "refresh_token", "--scope", "profile")
    http = session(mine, scope="profile")
    token = http.fetch_token(document["token_endpoint"], username=USER, password=PASSWORD)
    ok("the password grant gives both tokens", {"access_token", "refresh_token"} <= set(token))
    wrong = error(lambda: session(mine).fetch_token(document["token_endpoint"], username=USER, password="wrong password"))
    unknown = error(lambda: session(mine).fetch_token(document["token_endpoint"], username="nobody", password="wrong password"))
    ok("wrong password and unknown user are the same", wrong == unknown == "invalid_grant", (wrong, unknown))
    none = client("--redirect-uri", CALLBACK, "--scope", "profile")
    code = error(lambda: session(none).fetch_token(document["token_endpoint"], username=USER, password=PASSWORD))
    ok("a client that is not registered for it is unauthorized_client", code == "unauthorized_client", code)


class OpenIDSession(OpenIDMixin, OAuth2Session):
    """A session that knows OpenID Connect, as Authlib's clients for web frameworks do."""

    server_metadata = None

    def load_server_metadata(self):
        if self.server_metadata is None:
            self.server_metadata = requests.get(BASE + "/.well-known/openid-configuration", timeout=PATIENCE).json()
        return self.server_metadata

    def _get_session(self):
        return OAuth2Session()


def registered(document, **metadata):
    answer = requests.post(document["registration_endpoint"], json={"redirect_uris": [CALLBACK], **metadata}, timeout=PATIENCE)
    ok(f"registered for {metadata['token_endpoint_auth_method']}", answer.status_code == 201, answer.text)
    return answer.json()


def openid(method):
    document = OpenIDSession().load_server_metadata()
    ok("discovery names its issuer", document["issuer"] == BASE)
    key = ECKey.generate_key("P-256", {"kid": "mine", "use": "sig", "alg": "ES256"})
    keys = {"jwks": {"keys": [key.as_dict(private=False)]}} if method == "private_key_jwt" else {}
    mine = registered(document, token_endpoint_auth_method=method, **keys)
    secret = key if method == "private_key_jwt" else mine["client_secret"]
    http = OpenIDSession(
        mine["client_id"], secret, redirect_uri=CALLBACK, scope="openid profile email",
        code_challenge_method="S256", token_endpoint_auth_method=method,
    )
    http.register_client_auth_method(ClientSecretJWT(document["token_endpoint"]))
    http.register_client_auth_method(PrivateKeyJWT(document["token_endpoint"], headers={"kid": "mine"}, alg="ES256"))
    nonce, verifier = generate_token(20), generate_token(48)
    browser = Browser()
    url, state = http.create_authorization_url(
        document["authorization_endpoint"], code_verifier=verifier, nonce=nonce, max_age="3600"
    )
    back = browser.authorize(url)
    token = http.fetch_token(document["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state)
    claims = http.parse_id_token(token, nonce)
    ok(f"the id token is good, by {method}", claims["sub"] and claims["auth_time"] and "email" not in claims, claims)
    try:
        http.parse_id_token(token, "another")
        refused = False
    except JoseError:
        refused = True
    ok("with another nonce it is not", refused)
    told = http.userinfo()
    ok("userinfo is about the same person", told["sub"] == claims["sub"] and told["preferred_username"] == USER, told)
    url, state = http.create_authorization_url(
        document["authorization_endpoint"], code_verifier=generate_token(48), nonce=nonce, prompt="none"
    )
    silent = parse_qs(urlsplit(browser.visit(url)).query)
    ok("prompt=none is silent", "code" in silent and silent["state"] == [state], silent)
    logout = http.create_logout_url(id_token_hint=token["id_token"], client_id=mine["client_id"])
    page = browser.visit(logout["url"])
    ok("the logout URL signs out", page.status_code == 200 and "signed out" in page.text, page.text[:2000])
    answer = parse_qs(urlsplit(browser.visit(url)).query)
    ok("and then prompt=none is login_required", answer["error"] == ["login_required"], answer)


command("user", "create", USER, stdin=PASSWORD + "\n")
document = metadata()
client_credentials(document)
opaque(document)
code(document, public=False)
code(document, public=True)
implicit(document)
password(document)
for by in ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"):
    openid(by)
print(f"Authlib: {passed} passed, 0 failed")
