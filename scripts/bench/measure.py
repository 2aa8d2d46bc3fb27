"""Measuring a server process from outside: its CPU time and memory from /proc while a load tool runs."""

import json
import os
import re
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
CONNECTIONS = 64
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time the process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid):
    """Resident and proportional size, in megabytes (10^6 bytes)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = (int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) for name in ("Rss", "Pss"))
    return [round(size * 1024 / 1e6, 1) for size in sizes]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirects)


def send(url, body=None, headers=None, method=None):
    """One request; answers (status, headers, text), whatever the status is."""
    data = body.encode() if body is not None else None
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with OPENER.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read().decode()


class Process:
    """A server started for the benchmark."""

    def __init__(self, command, port, ready, log, env=None):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        begin = time.perf_counter()
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env
            )
        self.pid = self.process.pid
        self.started_in = self._wait(ready, begin)

    def _wait(self, ready, begin):
        """Seconds from the start of the process to the first good answer."""
        question = f"GET {ready} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        while time.perf_counter() - begin < 60:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as stream:
                    stream.sendall(question)
                    if stream.recv(64).split(b" ")[1:2] == [b"200"]:
                        return time.perf_counter() - begin
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.0005)
        self.stop()
        raise SystemExit(f"did not start; see {self.log}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Fixed:
    """The same request again and again, sent by wrk."""

    def __init__(self, path, body=None, headers=None, expect=""):
        self.path, self.body, self.headers, self.expect = path, body, dict(headers or {}), expect
        if body is not None:
            self.headers.setdefault("Content-Type", "application/x-www-form-urlencoded")

    def check(self, server):
        status, _, text = send(server.url + self.path, self.body, self.headers)
        if status != 200 or self.expect not in text:
            raise SystemExit(f"{self.path} answered {status}: {text[:400]}")

    def prepare(self, _server, seconds):
        return seconds

    def load(self, server, seconds):
        env = dict(
            os.environ,
            BENCH_METHOD="GET" if self.body is None else "POST",
            BENCH_BODY=self.body or "",
            BENCH_HEADERS="\n".join(f"{name}: {value}" for name, value in self.headers.items()),
        )
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "--latency"]
        command += ["-s", str(HERE / "request.lua"), server.url + self.path]
        output = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
        return json.loads(re.search(r"^RESULT (.*)$", output, re.M)[1])


def measure(sides, seconds, runs, warm_up):
    """Measures pairs of a server and its load, and answers for each the medians over the runs: requests per second, CPU
    microseconds of the server for each request, latencies. The sides take turns, so that whatever else the machine does
    meets all of them alike."""
    for server, load in sides:
        load.check(server)
        if warm_up:
            load.load(server, load.prepare(server, warm_up))
    results = [[] for _ in sides]
    for _ in range(runs):
        for (server, load), side in zip(sides, results, strict=True):
            side.append(run_once(server, load, seconds))
    return [medians(side) for side in results]


def run_once(server, load, seconds):
    prepared = load.prepare(server, seconds)
    before = cpu_seconds(server.pid)
    result = load.load(server, prepared)
    used = cpu_seconds(server.pid) - before
    if result["errors"] or not result["requests"]:
        raise SystemExit(f"{result['errors']} errors in {result['requests']} requests; see {server.log}")
    result["rps"] = result["requests"] / result["seconds"]
    result["cpu_us"] = used * 1e6 / result["requests"]
    return result


def medians(results):
    median = {key: statistics.median(r[key] for r in results) for key in ("rps", "cpu_us", "p50_ms", "p99_ms")}
    return {**{key: round(value, 2) for key, value in median.items()}, "runs": results}


def cpu_ratio(server, floor):
    """What the server's CPU time is of its floor's: the median over the runs, each beside its neighbour."""
    pairs = zip(server["runs"], floor["runs"], strict=True)
    return round(statistics.median(ours["cpu_us"] / theirs["cpu_us"] for ours, theirs in pairs), 3)
