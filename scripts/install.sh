#!/usr/bin/env bash
# Installs the Debian 12 packages that Brisk needs and that are not there yet.
#   scripts/install.sh [build|test|all]     build (default): to build and run; test: to test; all: with benchmarks
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-build}" in
  build) install_packages "${PACKAGES_BUILD[@]}" ;;
  test) install_packages "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}" ;;
  all) install_packages "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}" "${PACKAGES_BENCH[@]}" ;;
  *)
    say "usage: scripts/install.sh [build|test|all]"
    exit 2
    ;;
esac
