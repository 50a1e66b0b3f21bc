# What the scripts share: where things lie, how they talk, which packages they need. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

BRISK_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
JOBS=${BRISK_JOBS:-$(nproc)}
VENV=$BRISK_ROOT/.venv
# Clones at different places share what ccache keeps.
export CCACHE_BASEDIR=$BRISK_ROOT CCACHE_NOHASHDIR=1

# The Debian packages of each purpose: the only list of them.
PACKAGES_BUILD=(g++ cmake ninja-build ccache pkg-config ca-certificates
  nlohmann-json3-dev libutf8proc-dev libpcre2-dev libxxhash-dev libedit-dev
  libcurl4-openssl-dev nettle-dev python3 python3-pip)
PACKAGES_TEST=(git libgtest-dev libgmock-dev clang-19 libclang-rt-19-dev clang-format-19 binutils python3-venv python3-dev)
PACKAGES_BENCH=(libbenchmark-dev)

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "error: $*"
  exit 1
}

# Runs a command as root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "installing packages: expected root or sudo, got neither; try running as root: $*"
  fi
}

# Prints those of its arguments that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$package"
  done
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Installs what is missing of the packages named; refreshes apt's lists only when they lack something.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} = 0 ] && return 0
  command -v apt-get >/dev/null || fail "installing ${missing[*]}: expected apt-get (Debian 12), got none;" \
    "try installing the same libraries by your system's package manager"
  say "installing: ${missing[*]}"
  if ! apt_install "${missing[@]}" 2>/dev/null; then
    as_root apt-get update -qq
    apt_install "${missing[@]}"
  fi
}

# Creates .venv and installs packages into it at the versions of tests/requirements.txt; all of them
# without arguments. What was installed is stamped, so that a second call costs nothing.
ensure_venv() {
  local wanted="${*:-all}" requirements=$BRISK_ROOT/tests/requirements.txt stamp
  local recipes=$BRISK_ROOT/recipes/requirements.txt
  stamp=$VENV/.brisk-$(printf '%s' "$wanted" | cat - "$requirements" "$recipes" | sha256sum | cut -c1-16)
  [ -e "$stamp" ] && return 0
  [ -x "$VENV/bin/python" ] || /usr/bin/python3 -m venv "$VENV"
  say "installing into .venv: $wanted"
  if [ "$wanted" = all ]; then
    "$VENV/bin/pip" install -q --disable-pip-version-check -r "$requirements" -r "$recipes"
  else
    "$VENV/bin/pip" install -q --disable-pip-version-check -c "$requirements" "$@"
  fi
  touch "$stamp"
}
