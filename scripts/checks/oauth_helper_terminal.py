"""Somebody at a terminal: adds a client with a secret nobody sees, signs in by pasting, looks around, leaves.

Run by oauth-helper.sh, which sets HELPER, BASE_URL, PERSON and WORK.
"""

import http.cookiejar
import os
import pty
import re
import select
import subprocess
import termios
import time
import urllib.error
import urllib.parse
import urllib.request

HELPER, BASE, PERSON = os.environ["HELPER"], os.environ["BASE_URL"], os.environ["PERSON"]
PATIENCE = 60


class Terminal:
    """A program at a pseudo terminal."""

    def __init__(self, *arguments):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.execv(HELPER, [HELPER, "--profile", "terminal", *arguments])
        self.text = ""

    def read(self):
        """Reads what is there; false at the end."""
        ready, _, _ = select.select([self.descriptor], [], [], 1)
        if not ready:
            return True
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            return False
        self.text += data.decode()
        return bool(data)

    def expect(self, pattern):
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < end, f"no {pattern!r} in {self.text!r}"
            assert self.read() or re.search(pattern, self.text), f"it ended without {pattern!r}: {self.text!r}"
        return found

    def type(self, line):
        os.write(self.descriptor, line.encode() + b"\n")

    def until_unseen(self):
        """Waits until what is typed is not shown."""
        end = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.descriptor)[3] & termios.ECHO:
            assert time.monotonic() < end, "what is typed is shown"
            self.read()

    def end(self, code):
        end = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < end, f"it does not end: {self.text!r}"
        _, status = os.waitpid(self.pid, 0)
        assert os.waitstatus_to_exitcode(status) == code, (status, self.text)
        return self.text


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def authorize(url):
    """Signs in and allows in a browser without pictures; where it is sent to in the end."""
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(rfc2965=False))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar), Stay)

    def go(address, form=None):
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(urllib.parse.urljoin(BASE, address), data, {"Origin": BASE})
        try:
            with opener.open(request, timeout=PATIENCE) as page:
                return None, page.read().decode()
        except urllib.error.HTTPError as answer:
            if answer.code // 100 != 3:
                raise
            return answer.headers["Location"], ""

    to, _ = go(url)
    for _ in range(5):
        if to.startswith("http://127.0.0.1") and "/auth_callback?" in to:
            return to
        parts = urllib.parse.urlsplit(to)
        interaction = urllib.parse.parse_qs(parts.query)["interaction"][0]
        form = {"interaction": interaction}
        if parts.path == "/login":
            form |= {"username": "alice", "password": "correct horse battery"}
        else:
            _, page = go(to)
            button = re.search(r'<button[^>]*id="allow"[^>]*>', page).group()
            named = re.search(r'name="([^"]+)"[^>]*value="([^"]+)"', button)
            form |= {m[0]: m[1] for m in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)}
            ticked = re.findall(r'<input type="checkbox"[^>]*name="([^"]+)" value="([^"]+)" checked', page)
            form |= dict(ticked)
            if named:
                form[named[1]] = named[2]
        to, _ = go(parts.path, form)
    raise AssertionError(f"the browser stays at {to}")


secret = "a secret that nobody sees"
adding = Terminal("client", "add", "quiet", "--client-id", "x", "--preset", "server", "--url", BASE, "--secret")
adding.expect("Client secret: ")
adding.until_unseen()
adding.type(secret)
assert secret not in adding.end(0), "the secret was shown"

adding = Terminal("client", "add", "mine", "--client-id", PERSON, "--preset", "server", "--url", BASE,
                  "--scope", "openid profile offline_access")
adding.expect(r"added mine \(number 2\)")
adding.end(0)

login = Terminal("login", "mine", "--no-browser")
url = login.expect(r"(http://\S+/oauth/authorize\?\S+)\r\n")[1]
login.type(authorize(url))
login.expect(r"mine is signed in, the access token lives until 20\d\d-")
login.end(0)

status = Terminal("status")
status.expect(r"mine +valid")
status.expect(r"quiet +login needed")
status.end(0)

header = subprocess.run([HELPER, "--profile", "terminal", "header", "mine"], capture_output=True, text=True, check=True,
                        timeout=PATIENCE)
assert header.stdout.startswith("Authorization: Bearer "), header
answer = subprocess.run([HELPER, "--profile", "terminal", "curl", "mine", "--", "-sS", f"{BASE}/oauth/userinfo"],
                        capture_output=True, text=True, check=True, timeout=PATIENCE)
assert '"sub"' in answer.stdout, answer

# Four at the end of a token, as four terminals would be, and nothing is lost.
racing = [subprocess.Popen([HELPER, "--profile", "terminal", "token", "mine", "--fresh"], stdout=subprocess.PIPE) for _ in range(4)]
for process in racing:
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and out.strip(), process.returncode

interrupted = Terminal("login", "mine", "--no-browser")
interrupted.expect(r"/oauth/authorize\?")
interrupted.type("https://example.org/?code=x&state=y")
text = interrupted.end(2)
assert "error: this is the answer to another login (its state is not ours)" in text, text

still = Terminal("token", "mine")
still.end(0)
removing = Terminal("client", "rm", "mine")
removing.expect("removed mine: the provider has taken its tokens back")
removing.end(0)
print("terminal: ok")
