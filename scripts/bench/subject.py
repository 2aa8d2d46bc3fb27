"""The server that is measured: its configuration, a signed-in browser session, and the loads that need a flow."""

import base64
import hashlib
import html
import json
import os
import re
import secrets
import subprocess
import urllib.parse

from measure import CONNECTIONS, Process, free_port, send

AUDIENCE = "https://api.example"
REDIRECT_URI = "http://127.0.0.1:9/callback"
USER, PASSWORD = "bench", secrets.token_urlsafe(16)
VERIFIER = secrets.token_urlsafe(32)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

CLAIMS = (
    '{ name = "Ada Lovelace", given_name = "Ada", family_name = "Lovelace",'
    ' email = "ada@example.org", email_verified = true }'
)

# One client for each kind of load; every secret is fresh and random, so that the server keeps a plain hash of it.
CLIENTS = {
    "es256": 'access_token_algorithm = "ES256"',
    "rs256": 'access_token_algorithm = "RS256"',
    "rs512": 'access_token_algorithm = "RS512"',
    "opaque": 'access_token_format = "opaque"',
    "web": f'redirect_uris = ["{REDIRECT_URI}"]\nskip_consent = true',
    "asking": f'redirect_uris = ["{REDIRECT_URI}"]',
}
SECRETS = {name: secrets.token_urlsafe(32) for name in CLIENTS}


def configuration():
    parts = [
        # Codes are collected before they are exchanged, and nobody waits for a second sign-in.
        '[tokens]\ncode_ttl = "10m"\naccess_token_ttl = "1h"',
        '[keys]\nalgorithms = ["ES256", "RS256", "RS512"]',
        '[[scope]]\nname = "read"\ndescription = "read"',
        f'[[resource]]\nuri = "{AUDIENCE}"',
        # Sixty-four browsers at one address, and one person in all of them.
        "[throttle]\naccount_attempts = 60000\naddress_attempts = 60000",
        f'[[user]]\nname = "{USER}"\npassword = "{PASSWORD}"\nclaims = {CLAIMS}',
    ]
    for name, more in CLIENTS.items():
        of_people = name in ("web", "asking")
        grants = '["authorization_code", "refresh_token"]' if of_people else '["client_credentials"]'
        scope = "openid profile email read" if of_people else "read"
        parts.append(
            f'[[client]]\nid = "{name}"\nsecret = "{SECRETS[name]}"\ngrant_types = {grants}\nscope = "{scope}"\n{more}'
        )
    return "\n\n".join(parts) + "\n"


def basic(client):
    return base64.b64encode(f"{client}:{SECRETS[client]}".encode()).decode()


def authorization(client):
    return {"Authorization": f"Basic {basic(client)}"}


class Subject(Process):
    """oauth-server on a free port, with its data in a folder."""

    def __init__(self, binary, folder, request_lines=False):
        config = folder / "bench.toml"
        if not config.exists():
            config.write_text(configuration())
            config.chmod(0o600)
        env = {name: value for name, value in os.environ.items() if not name.startswith("OAUTH_")}
        env["OAUTH__DATA_FOLDER"] = str(folder / "data")
        env["OAUTH__LOGS__REQUESTS"] = "true" if request_lines else "false"
        if "BENCH_DATABASE" in os.environ:
            env["OAUTH__DATABASE__URL"] = os.environ["BENCH_DATABASE"]
        port = free_port()
        command = [binary, "--config", config, "--port", port, "--log-format", "json"]
        super().__init__(command, port, "/readyz", folder / "server.log", env)
        self.cookie = None

    def token(self, client):
        """An access token by client credentials."""
        body = f"grant_type=client_credentials&scope=read&resource={AUDIENCE}"
        status, _, text = send(f"{self.url}/oauth/token", body, authorization(client))
        if status != 200:
            raise SystemExit(f"no token for {client}: {status} {text}")
        return json.loads(text)["access_token"]

    def user_token(self):
        """An access token of the person, for userinfo."""
        tool = Flow(None)
        tool.check(self)
        _, headers, _ = send(self.url + self.authorize_target(scope="openid profile email"), None, {"Cookie": self.cookie})
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)["code"][0]
        return json.loads(send(f"{self.url}/oauth/token", tool.exchange_form() + code, authorization("web"))[2])["access_token"]

    def authorize_target(self, client="web", scope="read", **more):
        query = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": REDIRECT_URI,
            "scope": scope,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        return "/oauth/authorize?" + urllib.parse.urlencode(query)

    def sign_in(self):
        """Follows the authorization request to the sign-in form and fills it in, as a browser would."""
        jar, url = {}, self.url + self.authorize_target()
        for _ in range(5):
            status, headers, text = self._browse(url, jar)
            if status == 200:
                break
            url = urllib.parse.urljoin(url, headers["Location"])
        form = re.search(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', text, re.S)
        if not form or 'type="password"' not in form[2]:
            raise SystemExit(f"no sign-in form at {url}: {status} {text[:400]}")
        fields = {}
        for tag in re.findall(r"<input[^>]*>", form[2]):
            value = {name: html.unescape(text) for name, text in re.findall(r'(\w+)="([^"]*)"', tag)}
            if "name" in value:
                person = {"password": PASSWORD}.get(value.get("type"), USER)
                fields[value["name"]] = value.get("value", "") if value.get("type") == "hidden" else person
        target = urllib.parse.urljoin(url, html.unescape(form[1]))
        status, _, text = self._browse(target, jar, urllib.parse.urlencode(fields))
        if status not in (302, 303):
            raise SystemExit(f"signing in at {target} answered {status}: {text[:400]}")
        self.cookie = "; ".join(f"{name}={value}" for name, value in jar.items())

    def _browse(self, url, jar, body=None):
        headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"} if body is not None else {}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        status, headers, text = send(url, body, headers)
        for cookie in headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            jar[name] = value
        return status, headers, text


class Flow:
    """A load of bench-flow, which keeps as many connections busy as wrk does."""

    def __init__(self, tool):
        self.tool = tool

    def check(self, server):
        if server.cookie is None:
            server.sign_in()

    def _tool(self, server, mode, lines=(), client="web", **settings):
        command = [str(self.tool), mode, f"127.0.0.1:{server.port}"]
        env = dict(os.environ, RUST_BACKTRACE="0", BASIC=basic(client), **{name: str(value) for name, value in settings.items()})
        done = subprocess.run(command, env=env, input="\n".join(lines), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"bench-flow {mode} failed: {done.stderr[-600:]}; see {server.log}")
        return json.loads(done.stdout), done.stderr.splitlines()

    def codes(self, server, count):
        return self._tool(server, "authorize", COUNT=count, COOKIE=server.cookie, TARGET=server.authorize_target())

    def exchange_form(self):
        fields = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
        return urllib.parse.urlencode(fields) + "&code="


class Authorize(Flow):
    """Codes for a person who has signed in, at a client that asks for no consent."""

    def prepare(self, server, seconds):
        return 1_000 * seconds

    def load(self, server, count):
        return self.codes(server, count)[0]


class Exchange(Flow):
    """One-time codes, collected before the clock starts."""

    def prepare(self, server, seconds):
        return self.codes(server, 1_000 * seconds)[1]

    def load(self, server, codes):
        return self._tool(server, "exchange", codes, FORM=self.exchange_form())[0]


class Refresh(Flow):
    """As many chains of refresh tokens as there are connections."""

    def prepare(self, server, seconds):
        tokens = []
        for code in self.codes(server, CONNECTIONS)[1]:
            status, _, text = send(f"{server.url}/oauth/token", self.exchange_form() + code, authorization("web"))
            if status != 200:
                raise SystemExit(f"a code was not exchanged: {status} {text}")
            tokens.append(json.loads(text)["refresh_token"])
        return seconds, tokens

    def load(self, server, prepared):
        seconds, tokens = prepared
        form = "grant_type=refresh_token&refresh_token="
        return self._tool(server, "refresh", tokens, SECONDS=seconds, FORM=form)[0]


class SignIn(Flow):
    """Everything from an authorization request without a session to the tokens: sign-in, consent, exchange."""

    def check(self, server):
        pass

    def prepare(self, server, seconds):
        return seconds

    def load(self, server, seconds):
        target = server.authorize_target(client="asking", scope="openid read", prompt="consent")
        form = self.exchange_form()
        person = {"USERNAME": USER, "PASSWORD": PASSWORD}
        return self._tool(server, "sign-in", client="asking", SECONDS=seconds, TARGET=target, FORM=form, **person)[0]
