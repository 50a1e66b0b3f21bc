#!/usr/bin/env bash
# From a fresh Debian 12 to an answer in the terminal: installs what is needed, builds, fetches the
# built-in model (98 MB, kept in the user's cache) and asks it something. What is done is skipped.
#   scripts/quickstart.sh [prompt]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$BRISK_ROOT"

# Runs a step and prints its time.
step() {
  local name=$1 start
  shift
  start=$(date +%s.%N)
  say "== $name"
  "$@"
  say "== $name: $(date +%s.%N | awk -v s="$start" '{ printf "%.1f s", $1 - s }')"
}

prompt=${1:-"What is the capital of France, and what is it known for?"}
step install scripts/install.sh build
step build scripts/build.sh release
step model scripts/fetch_model.sh
step answer build/release/brisk run -p "$prompt"
say "total: $SECONDS s. Next: build/release/brisk run   (a chat), or README.md"
