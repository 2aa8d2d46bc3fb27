# Sourced by the scripts of this folder: messages, Debian packages, free ports, waiting for a server.
# shellcheck shell=bash

# apt-get's post-install scripts need these, and a bare environment often lacks them.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH

# say TEXT...: one line to standard error (standard output is for results).
say() { printf '%s\n' "$*" >&2; }

# die TEXT...: say it and end the script with 1.
die() {
  say "error: $*"
  exit 1
}

# unchecked WHAT: says, so that it is seen, that something was not looked at. That is allowed.
unchecked() {
  say "######################################################################"
  say "# NOT CHECKED: $*"
  say "######################################################################"
}

# not_checked WHAT: the same, of what may be left out on a laptop and not in CI.
not_checked() {
  unchecked "$@"
  [ -z "${CI:-}" ] || die "in CI that must be checked"
}

# have COMMAND: is it on the PATH?
have() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE...: installs Debian packages as root or through sudo, or says what to do.
apt_install() {
  have apt-get || die "this needs the packages '$*' (Debian's names): there is no apt-get here, install them yourself"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    have sudo || die "this needs the Debian packages '$*': run as root: apt-get install $*"
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    [ -t 0 ] || as_root=(sudo -n)
  fi
  say "installing Debian packages: $*"
  local options=(-y -q -o DPkg::Lock::Timeout=300 --no-install-recommends)
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "$@" </dev/null >&2; then
    say "not found with the package lists at hand; refreshing them"
    "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null >&2 ||
      die "apt-get update failed"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "$@" </dev/null >&2 ||
      die "could not install: $*"
  fi
}

# need COMMAND PACKAGE...: installs the packages unless the command is there.
need() {
  local command=$1
  shift
  have "$command" && return 0
  apt_install "$@"
  have "$command" || die "'$command' is still missing after installing $*"
}

# in_own_network WHAT COMMAND...: runs the command in a network namespace that has nothing but loopback, with multicast:
# nothing leaves this machine, and nothing on its network is mistaken for something of ours. Root can make one, and whoever
# may make user namespaces; where nobody can, WHAT is not checked.
in_own_network() {
  local what=$1 namespace
  shift
  need ip iproute2
  need unshare util-linux
  for namespace in "" --map-root-user; do
    # shellcheck disable=SC2086 # one word or none
    if unshare --net $namespace true 2>/dev/null; then
      # shellcheck disable=SC2086,SC2016 # the same; and it is the inner shell that expands
      unshare --net $namespace bash -euo pipefail -c '
        ip link set lo up
        ip link set lo multicast on
        ip route add 224.0.0.0/4 dev lo
        exec "$@"
      ' bash "$@"
      return
    fi
  done
  not_checked "$what; network namespaces cannot be made here"
}

# answers PORT: does something accept connections on this loopback port?
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The ports that free_port gave out, a file for each: what is chosen now is perhaps listened on much later.
FREE_PORTS=${FREE_PORTS:-${TMPDIR:-/tmp}/free-ports-$(id -u)}
export FREE_PORTS

# free_port: prints a loopback port that nobody listens on and nobody was given within the last hour, below the range of
# outgoing connections.
free_port() {
  local port
  mkdir -p "$FREE_PORTS"
  find "$FREE_PORTS" -type f -mmin +60 -delete 2>/dev/null || true
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 12000))
    # Only one can make the file.
    if ! answers "$port" && (set -o noclobber && : >"$FREE_PORTS/$port") 2>/dev/null; then
      printf '%s\n' "$port"
      return 0
    fi
  done
  die "no free port between 20000 and 32000"
}

# wait_for URL SECONDS PID: until the URL answers 2xx; fails early when the process has ended, whoever answers then.
wait_for() {
  local url=$1 seconds=$2 pid=$3 end answered
  end=$((SECONDS + seconds))
  while [ "$SECONDS" -lt "$end" ]; do
    answered=no
    ! curl -fsS -o /dev/null --max-time 10 "$url" 2>/dev/null || answered=yes
    kill -0 "$pid" 2>/dev/null || return 1
    [ "$answered" = no ] || return 0
    sleep 0.05
  done
  return 1
}
