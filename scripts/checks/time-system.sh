#!/usr/bin/env bash
# The three services of examples/time-system, started as the README says, answer as it promises.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec scripts/demo-time.sh --check
