#!/usr/bin/env bash
# Builds llama.cpp's llama-bench for this machine into the user's cache, as a peer to measure against; prints
# its path. The source comes in PyPI's llama-cpp-python.
#   bench/peers/llama_cpp.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

VERSION=0.3.36
folder=${XDG_CACHE_HOME:-$HOME/.cache}/brisk/peers
source_folder=$folder/llama_cpp_python-$VERSION/vendor/llama.cpp
program=$source_folder/build/bin/llama-bench

# Clang and llama.cpp's own threads: the fastest of the builds tried on an Intel Xeon with AMX (2026-11). GCC 12's
# build ended in an illegal instruction in its AMX path, and without AMX it read prompts 4 times slower.
build_peer() {
  cmake -S "$source_folder" -B "$source_folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
    -DGGML_OPENMP=OFF -DLLAMA_CURL=OFF -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19
  cmake --build "$source_folder/build" -j "$JOBS" --target llama-bench
}

if [ ! -x "$program" ]; then
  "$BRISK_ROOT/scripts/install.sh" test >&2
  ensure_venv pytest
  mkdir -p "$folder"
  if [ ! -d "$source_folder" ]; then
    "$VENV/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary :all: -d "$folder" "llama-cpp-python==$VERSION" >&2
    tar -xzf "$folder/llama_cpp_python-$VERSION.tar.gz" -C "$folder"
  fi
  build_peer >&2
fi
echo "$program"
