#!/usr/bin/env bash
# Installs what the tests need, builds, and runs them stage by stage.
#   scripts/test.sh fast     what every push must pass: format, checks of the tree, build, unit, kernel, property
#   scripts/test.sh full     fast, then e2e, bad inputs, fault, Python, parity, differential tests, sanitizers, fuzzing
#                            (default)
#   scripts/test.sh STAGE... the stages named, with those they stand on left to you
# Stops at the first stage that fails; ends with a table of times and counts. A stage that passed nothing
# has failed: a run that skipped everything proves nothing.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$BRISK_ROOT/scripts/stages.sh"
cd "$BRISK_ROOT"

FAST=(install format build_dev tree_checks unit)
FULL=("${FAST[@]}" python_install fetch fault e2e catalogue python parity differential isa_caps build_asan sanitized_unit fuzz planted_bugs)

LOGS=$BRISK_ROOT/build/test-logs
export COUNTS=$LOGS/counts   # one line "passed failed skipped" per record() of the stage at hand
TABLE=()
TOTAL_PASSED=0 TOTAL_FAILED=0 TOTAL_SKIPPED=0

print_table() {
  printf '\n%-16s %9s %8s %8s %8s  %s\n' stage seconds passed failed skipped result
  printf '%s\n' "${TABLE[@]}"
  printf '%-16s %9s %8d %8d %8d\n' total "$SECONDS" "$TOTAL_PASSED" "$TOTAL_FAILED" "$TOTAL_SKIPPED"
}

# Runs one stage in a shell of its own, its output on the terminal and in a log.
run_stage() {
  local name=$1 start=$SECONDS code passed failed skipped result=ok
  printf '\n===== %s\n' "$name"
  : >"$COUNTS"
  set +e
  (
    set -euo pipefail
    "stage_$name"
  ) 2>&1 | tee "$LOGS/$name.log"
  code=${PIPESTATUS[0]}
  set -e
  read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$COUNTS")
  TOTAL_PASSED=$((TOTAL_PASSED + passed))
  TOTAL_FAILED=$((TOTAL_FAILED + failed))
  TOTAL_SKIPPED=$((TOTAL_SKIPPED + skipped))
  if [ "$code" != 0 ] || [ "$failed" != 0 ]; then
    result=FAILED
  elif [ "$passed" = 0 ]; then
    result="FAILED: nothing passed"
  fi
  TABLE+=("$(printf '%-16s %9s %8d %8d %8d  %s' "$name" $((SECONDS - start)) "$passed" "$failed" "$skipped" "$result")")
  printf '===== %s: %s s, %s\n' "$name" $((SECONDS - start)) "$result"
  if [ "$result" != ok ]; then
    print_table
    fail "stage $name failed; its output: ${LOGS#"$BRISK_ROOT"/}/$name.log"
  fi
}

case "${1:-full}" in
  fast) stages=("${FAST[@]}") ;;
  full) stages=("${FULL[@]}") ;;
  *) stages=("$@") ;;
esac
for name in "${stages[@]}"; do
  declare -F "stage_$name" >/dev/null || fail "stage $name: expected fast, full or one of: ${FULL[*]}"
done

mkdir -p "$LOGS"
for name in "${stages[@]}"; do run_stage "$name"; done
print_table
echo "all stages passed"
