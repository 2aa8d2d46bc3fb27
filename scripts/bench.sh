#!/usr/bin/env bash
# Measures the server, and the guard, beside bare handlers: docs/benchmarks.md says how and why.
#
#   scripts/bench.sh [--quick] [--only TEXT] [--seconds N] [--runs N]
#
# Everything runs on loopback. BENCH_DATABASE=postgres://... measures another database than SQLite.
# Prints a table and writes target/bench/results.json.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/tools.sh
. "$here/lib/tools.sh"

need_rust
need wrk wrk
need python3 python3
cd "$root"
cargo build --locked --quiet --release -p oauth-server -p bench-floor
exec python3 -B "$here/bench/run.py" --target "$target" "$@"
