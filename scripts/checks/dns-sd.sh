#!/usr/bin/env bash
# The guard finds authorization servers by DNS-SD, unicast and multicast, in a network of its own.
set -euo pipefail
# shellcheck source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# shellcheck source=../lib/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tools.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

need dnsmasq dnsmasq-base

# Built outside, where there is a network; inside only run.
tests=$(integration_tests resource-guard)
cd resource-guard
chosen=("$tests" --ignored dns_sd)
some_tests "${chosen[@]}"
in_own_network "DNS-SD" "${chosen[@]}" --test-threads 1
