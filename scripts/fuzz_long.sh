#!/usr/bin/env bash
# Runs fuzz targets for long and adds what was run to docs/evidence/fuzz.json.
#   scripts/fuzz_long.sh [--parse-only] [--runs N] [TARGET...]     default: 1,000,000 runs of every target
# --parse-only: what a target accepts is not used (several times as many files in the same time).
# Needs the preset asan (scripts/build.sh asan). What is found lies in build/fuzz; new corpus files too.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$BRISK_ROOT/scripts/stages.sh"
cd "$BRISK_ROOT"

RUNS=1000000
TARGETS=()
MODE=use
while [ $# -gt 0 ]; do
  case $1 in
    --parse-only) MODE=parse export BRISK_FUZZ_PARSE_ONLY=1 ;;
    --runs) RUNS=${2:?--runs: expected a number} && shift ;;
    -*) fail "option $1: expected --parse-only or --runs N" ;;
    *) TARGETS+=("$1") ;;
  esac
  shift
done
[ ${#TARGETS[@]} -gt 0 ] || mapfile -t TARGETS < <(fuzz_targets)

LOGS=$BRISK_ROOT/build/fuzz-logs
mkdir -p "$LOGS"
for name in "${TARGETS[@]}"; do
  log=$LOGS/$name.log
  FUZZ_SEED=$RANDOM$RANDOM
  started=$(date +%s)
  if ! fuzz_one "$name" "" -runs="$RUNS" -max_len=4096 >"$log" 2>&1; then
    tail -n 60 "$log"
    fail "fuzz_$name: a finding, see above; the input lies in build/fuzz/fuzz_$name"
  fi
  runs=$(awk '/number_of_executed_units/ { print $2 }' "$log")
  python3 tools/fuzz_counter.py "$name" "$MODE" "$runs" "$(($(date +%s) - started))"
done
