"""Runs the benchmark: every case of the server beside the bare handler that does the same work. See docs/benchmarks.md."""

import argparse
import base64
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import subject
from measure import CONNECTIONS, Fixed, Process, cpu_ratio, free_port, measure, memory_mb, send
from subject import AUDIENCE, Authorize, Exchange, Refresh, SignIn, Subject, authorization

GRANT = "grant_type=client_credentials"
# At most a tenth above the floor.
TENTH = "x 1.10"
FLOOR_CLIENT = b"floor:floor-secret-0123456789abcdef-0123456789abcdef"


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench.sh", description=__doc__)
    parser.add_argument("--target", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=8, help="length of a run (default: 8)")
    parser.add_argument("--runs", type=int, default=3, help="runs of a case; the median counts (default: 3)")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds before the first run (default: 2)")
    parser.add_argument("--quick", action="store_true", help="one run of two seconds: whether it works, not how fast")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.runs, options.warm_up = 2, 1, 0
    return options


class Bench:
    """The processes, and the rows of the table so far."""

    def __init__(self, options, folder):
        self.options, self.folder, self.rows = options, folder, []
        release = options.target / "release"
        self.binary, self.flow = release / "oauth-server", release / "bench-flow"
        self.floor_binary, self.guard_binary = release / "bench-floor", release / "bench-guard"

    def case(self, name, server, load, floor=None, floor_load=None, aim=None):
        """Measures the server beside its floor. The aim is CPU microseconds, or `TENTH`."""
        if self.options.only not in name:
            return
        options = self.options
        sides = [(floor, floor_load), (server, load)] if floor_load else [(server, load)]
        *bare, ours = measure(sides, options.seconds, options.runs, options.warm_up)
        row = {"name": name, "aim": aim and str(aim), "server": ours}
        if bare:
            row["floor"], row["cpu_ratio"] = bare[0], cpu_ratio(ours, bare[0])
        self.rows.append(row)
        print(line(row), flush=True)

    def floor(self):
        port = free_port()
        return Process([self.floor_binary, port], port, "/hello", self.folder / "floor.log")

    def subject(self, **more):
        return Subject(self.binary, self.folder, **more)

    def guard(self, server):
        port = free_port()
        return Process([self.guard_binary, port, server.url, AUDIENCE], port, "/hello", self.folder / "guard.log")


def cell(value, form):
    return format(value, form) if value is not None else ""


def line(row):
    ours, floor = row["server"], row.get("floor")
    return (
        f"{row['name']:<42}{cell(floor and floor['rps'], '9,.0f'):>9} {ours['rps']:>9,.0f}"
        f"{cell(floor and floor['cpu_us'], '10.1f'):>11} {ours['cpu_us']:>10.1f} {cell(row.get('cpu_ratio'), '.2f'):>6}"
        f" {row['aim'] or '':>6} {ours['p50_ms']:>8.2f} {ours['p99_ms']:>8.2f}"
    )


HEAD = (
    f"{'':<42}{'req/s':>9} {'req/s':>9}{'CPU us/req':>11} {'CPU us/req':>10} {'CPU':>6} {'':>6} {'p50':>8} {'p99':>8}\n"
    f"{'case':<42}{'floor':>9} {'server':>9}{'floor':>11} {'server':>10} {'ratio':>6} {'aim':>6} {'ms':>8} {'ms':>8}"
)


def floor_basic():
    return {"Authorization": "Basic " + base64.b64encode(FLOOR_CLIENT).decode()}


def floor_token(floor, kind):
    text = send(f"{floor.url}/token/{kind}", GRANT, floor_basic())[2]
    return json.loads(text)["access_token"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def token_cases(bench, floor, server):
    def issued(client):
        body = f"{GRANT}&scope=read&resource={AUDIENCE}"
        return Fixed("/oauth/token", body, authorization(client), "access_token")

    def floor_issued(kind):
        return Fixed(f"/token/{kind}", GRANT, floor_basic(), "access_token")

    bench.case("client credentials, JWT ES256", server, issued("es256"), floor, floor_issued("es256"), 50)
    bench.case("client credentials, JWT RS256", server, issued("rs256"), floor, floor_issued("rs256"), 330)
    bench.case("client credentials, opaque, durable", server, issued("opaque"), floor, floor_issued("opaque"), 70)
    with bench.subject(request_lines=True) as talkative:
        bench.case("client credentials, ES256, request log", talkative, issued("es256"), floor, floor_issued("es256"))


def flow_cases(bench, floor, server):
    signs = Fixed("/token/es256", GRANT, floor_basic(), "access_token")
    bench.case("authorize: a code, signed in", server, Authorize(bench.flow))
    bench.case("code exchange, JWT ES256", server, Exchange(bench.flow), floor, signs)
    bench.case("refresh, JWT ES256", server, Refresh(bench.flow), floor, signs)


def reading_cases(bench, floor, server):
    def asked(path, token, headers):
        return Fixed(path, f"token={token}", headers, '"active":true')

    for name, client, aim in (("opaque", "opaque", 40), ("JWT ES256", "es256", None)):
        bench.case(
            f"introspection, {name}",
            server,
            asked("/oauth/introspect", server.token(client), authorization(client)),
            floor,
            asked("/introspect", floor_token(floor, client), floor_basic()),
            aim,
        )
    key_set = Fixed("/.well-known/jwks.json", expect='"keys"')
    bench.case("key set", server, key_set, floor, Fixed("/key-set"))


def openid_cases(bench, floor, server):
    document = Fixed("/.well-known/openid-configuration", expect='"userinfo_endpoint"')
    bench.case("discovery", server, document, floor, Fixed("/document"))
    ours = Fixed("/oauth/userinfo", headers=bearer(server.user_token()), expect='"email_verified":true')
    bare = Fixed("/userinfo", headers=bearer(floor_token(floor, "opaque")), expect='"email_verified":true')
    bench.case("userinfo", server, ours, floor, bare)
    bench.case("sign-in, consent, code, tokens", server, SignIn(bench.flow), floor, Fixed("/password", body="x"))


def guard_cases(bench, floor, server):
    def both(server, floor):
        return Fixed(server, headers=ours), Fixed(floor, headers=bare)

    with bench.guard(server) as guard:
        for alg in ("es256", "rs256"):
            ours, bare = bearer(server.token(alg)), bearer(floor_token(floor, alg))
            load, floor_load = both("/guard", "/guard")
            bench.case(f"guard, {alg.upper()}, verified each time", guard, load, floor, floor_load, TENTH)
        ours, bare = bearer(server.token("es256")), bearer(floor_token(floor, "es256"))
        load, floor_load = both("/guard/seen", "/guard/seen")
        bench.case("guard, token seen before", guard, load, floor, floor_load, 12)
        ours, bare = bearer(server.token("rs512")), bearer(floor_token(floor, "rs512"))
        load, floor_load = both("/x-nmos/read/v1.0", "/guard")
        bench.case("guard of a node, RS512, verified each time", guard, load, floor, floor_load, TENTH)
        # What a guard adds to a handler that has none, in the same process and sent the same token.
        for name, alg, path in (("guard", "es256", "/guard/seen"), ("guard of a node", "rs512", "/x-nmos/read")):
            ours = bare = bearer(server.token(alg))
            load, floor_load = both(path, "/hello")
            bench.case(f"{name}, seen before, beside none", guard, load, guard, floor_load, TENTH)


def start_up(bench, times=7):
    """Seconds until ready on an existing database, and memory once idle."""
    seconds, idle = [], None
    for _ in range(times):
        with bench.subject() as server:
            seconds.append(server.started_in)
            if idle is None:
                time.sleep(2)
                idle = memory_mb(server.pid)
    bare = []
    for _ in range(times):
        with bench.floor() as floor:
            bare.append(floor.started_in)
    return {
        "ms": round(statistics.median(seconds) * 1e3, 1),
        "floor_ms": round(statistics.median(bare) * 1e3, 1),
        "idle_rss_pss_mb": idle,
    }


def machine():
    model = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "time": int(time.time())}


def main():
    options = arguments()
    if not shutil.which("wrk"):
        sys.exit("wrk is missing")
    out = options.target / "bench"
    out.mkdir(parents=True, exist_ok=True)
    # On the disk of the target folder: a folder in memory would hide what durable writes cost.
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=out))
    bench = Bench(options, folder)
    result = {"machine": machine(), "connections": CONNECTIONS, "seconds": options.seconds, "runs": options.runs}
    try:
        with bench.subject() as first:  # makes the database and the keys
            result["first_start_ms"] = round(first.started_in * 1e3, 1)
        result["start"] = start_up(bench, 3 if options.quick else 7)
        print(HEAD)
        with bench.floor() as floor, bench.subject() as server:
            for cases in (token_cases, flow_cases, reading_cases, openid_cases, guard_cases):
                cases(bench, floor, server)
            result["loaded_rss_pss_mb"] = memory_mb(server.pid)
    except BaseException:
        print(f"the logs are in {folder}", file=sys.stderr)
        raise
    result["cases"] = bench.rows
    (out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    print(
        f"\nstart on an existing database: {result['start']['ms']} ms (aim: 200; a bare server: "
        f"{result['start']['floor_ms']} ms; the very first start, with key generation: {result['first_start_ms']} ms)\n"
        f"memory idle (RSS, PSS): {result['start']['idle_rss_pss_mb']} MB (aim: 30); "
        f"after load: {result['loaded_rss_pss_mb']} MB (aim: 45)\n"
        f"written to {out / 'results.json'}"
    )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
