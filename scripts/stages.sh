# The stages of scripts/test.sh: stage_NAME runs one and records what it counted. Sourced, never run.
# shellcheck shell=bash

# Adds to the counts of the stage at hand: record PASSED FAILED SKIPPED.
record() { echo "$1 $2 $3" >>"$COUNTS"; }

# Adds the counts of a JUnit file that ctest or pytest wrote.
record_junit() { "$VENV/bin/python" tools/count_tests.py "$1" >>"$COUNTS"; }

# Runs ctest in a build folder and records its counts, also when it fails.
#   run_ctest BUILD NAME ARGS...
run_ctest() {
  local build=$1 junit=$LOGS/$2.xml code=0
  shift 2
  rm -f "$junit"
  ctest --test-dir "$build" -j "$JOBS" --output-on-failure --no-tests=error --output-junit "$junit" "$@" || code=$?
  record_junit "$junit"
  return $code
}

# Runs pytest and records its counts, also when it fails; -rs lists every skip with its reason.
#   run_pytest NAME ARGS...
run_pytest() {
  local junit=$LOGS/$1.xml code=0
  shift
  rm -f "$junit"
  "$VENV/bin/python" -m pytest -q -rs -p no:cacheprovider --junitxml "$junit" "$@" || code=$?
  record_junit "$junit"
  return $code
}

stage_install() {
  scripts/install.sh test
  ensure_venv pytest
  record 1 0 0
}

# Every tracked C++ file is as clang-format leaves it.
stage_format() {
  local files
  mapfile -t files < <(git ls-files '*.cpp' '*.hpp' '*.inl')
  clang-format-19 --dry-run -Werror "${files[@]}"
  record "${#files[@]}" 0 0
}

stage_build_dev() {
  scripts/build.sh dev
  record 1 0 0
}

# The checks of the tree, and each check's proof that it can fail.
stage_tree_checks() {
  local check
  for check in includes names size; do
    "$VENV/bin/python" "tools/check_$check.py"
    record 1 0 0
  done
  "$VENV/bin/python" tools/check_symbols.py --build build/dev
  record 1 0 0
  run_pytest tools tools/tests
}

stage_unit() { run_ctest build/dev unit -L '^(unit|kernel|property)$'; }
stage_fault() { run_ctest build/dev fault -L '^fault$'; }

# What the later stages need from the network, all of it.
stage_fetch() {
  scripts/fetch_model.sh
  scripts/fetch_test_data.sh
  record 1 0 0
}

stage_python_install() {
  ensure_venv
  "$VENV/bin/pip" install -q --disable-pip-version-check --no-build-isolation --no-deps .
  record 1 0 0
}

stage_e2e() { BRISK_BINARY=$BRISK_ROOT/build/dev/brisk run_pytest e2e tests/e2e; }

# The catalogue of bad inputs (docs/design/bad-inputs.md) through the command itself; under the sanitizers a
# sample of it.
stage_catalogue() { BRISK_BINARY=$BRISK_ROOT/build/dev/brisk run_pytest catalogue tests/catalogue; }
stage_catalogue_asan() {
  BRISK_CATALOGUE_SAMPLE=0.1 BRISK_BINARY=$BRISK_ROOT/build/asan/brisk run_pytest catalogue_asan tests/catalogue
}

stage_python() { run_pytest python tests/python; }
stage_parity() { run_pytest parity -s tests/parity; }

# Our readers against those of others, on files that were changed at random: fewer of them than by hand, where
# the default is 100,000.
stage_differential() {
  BRISK_JUDGES=$BRISK_ROOT/build/dev/tests BRISK_DIFFERENTIAL=${BRISK_DIFFERENTIAL:-20000} \
    run_pytest differential -s tests/differential
}

# The kernels again with the CPU's level capped. The best level was run by the stage unit.
stage_isa_caps() {
  local isa
  for isa in ref avx2; do
    if [ "$isa" = avx2 ] && ! grep -qw avx2 /proc/cpuinfo; then
      echo "skipped: this CPU has no AVX2"
      record 0 0 1
      continue
    fi
    BRISK_ISA=$isa run_ctest build/dev "isa_$isa" -L '^kernel$'
  done
}

stage_build_asan() {
  scripts/build.sh asan
  record 1 0 0
}

# Reports of the sanitizers name functions and lines.
SYMBOLS=external_symbolizer_path=/usr/bin/addr2line
export ASAN_OPTIONS=$SYMBOLS UBSAN_OPTIONS=print_stacktrace=1:$SYMBOLS

# Parsers and what they stand on, graphs, stored state, and every allocation that fails, under the sanitizers.
stage_sanitized_unit() { run_ctest build/asan sanitized -R '^(unit_(base|tensor|quant|formats|text|hub|graph|ops|models|runtime)|fault_[a-z]+)/'; }

# Runs of each fuzz target in the gate, and the seed (give BRISK_FUZZ_SEED to try another).
FUZZ_RUNS=100000
FUZZ_SEED=${BRISK_FUZZ_SEED:-20260001}

# Prints the names of the fuzz targets.
fuzz_targets() {
  local source
  for source in tests/fuzz/*_fuzz.cpp; do basename "$source" _fuzz.cpp; done
}

# Runs the program fuzz_NAME, or fuzz_NAMEVARIANT, over the corpus of NAME: fuzz_one NAME VARIANT OPTIONS...
# New inputs and findings go to a folder of its own.
fuzz_one() {
  local name=$1 program=fuzz_$1$2 found corpus=() dictionary=()
  shift 2
  found=build/fuzz/$program
  rm -rf "$found"
  mkdir -p "$found"
  [ -d "tests/fuzz/corpus/$name" ] && corpus=("tests/fuzz/corpus/$name")
  [ -f "tests/fuzz/$name.dict" ] && dictionary=("-dict=tests/fuzz/$name.dict")
  "build/asan/tests/$program" -seed="$FUZZ_SEED" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="$found/finding-" "${dictionary[@]}" "$@" "$found" "${corpus[@]}"
}

stage_fuzz() {
  local name runs log
  echo "seed $FUZZ_SEED"
  for name in $(fuzz_targets); do
    log=$LOGS/fuzz_$name.log
    if ! fuzz_one "$name" "" -runs=$FUZZ_RUNS >"$log" 2>&1; then
      tail -n 60 "$log"
      record 0 1 0
      return 1
    fi
    runs=$(awk '/number_of_executed_units/ { print $2 }' "$log")
    echo "fuzz_$name: $runs runs, no finding"
    [ "${runs:-0}" -ge $FUZZ_RUNS ] || fail "fuzz_$name: expected $FUZZ_RUNS runs, got ${runs:-none}"
    record 1 0 0
  done
}

# Each fuzz target with a bug planted in it must find the bug: a fuzzer that finds nothing proves nothing.
stage_planted_bugs() {
  local name log
  for name in $(fuzz_targets); do
    log=$LOGS/planted_$name.log
    cmake --build build/asan --target "fuzz_${name}_planted" -j "$JOBS" >/dev/null
    fuzz_one "$name" _planted -max_total_time=60 >"$log" 2>&1 || true
    if ! grep -q '^SUMMARY: ' "$log"; then
      tail -n 20 "$log"
      record 0 1 0
      fail "fuzz_$name: expected the planted bug to be found within 60 s, got no report of it"
    fi
    echo "fuzz_$name: planted bug found: $(grep -m 1 '^SUMMARY: ' "$log")"
    record 1 0 0
  done
}
