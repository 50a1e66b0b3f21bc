#!/usr/bin/env bash
# Builds Brisk from nothing; the binary is build/<preset>/brisk.
#   scripts/build.sh [preset]     a preset of CMakePresets.json: release (default), dev, asan, tsan
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$BRISK_ROOT"

preset=${1:-release}
if [ "$preset" = release ]; then scripts/install.sh build; else scripts/install.sh test; fi
grep -q "\"name\": \"$preset\"" CMakePresets.json ||
  fail "preset $preset: expected one of CMakePresets.json, got another name; try release or dev"

log=$BRISK_ROOT/build/$preset.configure.log
mkdir -p build
cmake --preset "$preset" >"$log" 2>&1 || {
  cat "$log" >&2
  fail "configuring the preset $preset failed (the lines above)"
}
cmake --build --preset "$preset" -j "$JOBS"
