#!/usr/bin/env bash
# Builds llama.cpp's llama-bench for this machine into the user's cache, as a peer to measure against; prints
# its path. The source comes in PyPI's llama-cpp-python.
#   bench/peers/llama_cpp.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

VERSION=0.3.36
folder=${XDG_CACHE_HOME:-$HOME/.cache}/brisk/peers
source_folder=$folder/llama_cpp_python-$VERSION/vendor/llama.cpp
program=$source_folder/build/bin/llama-bench

# Whether a tile instruction can be run: a CPU may name AMX among its features where the system withholds it.
amx_works() {
  local work
  work=$(mktemp -d)
  cat >"$work/amx.c" <<'C'
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
  static char config[64] __attribute__((aligned(64))) = {1};
  if (syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18) != 0) return 1;
  _tile_loadconfig(config);
  _tile_release();
  return 0;
}
C
  "${CC:-gcc}" -mamx-tile "$work/amx.c" -o "$work/amx" 2>/dev/null && "$work/amx" 2>/dev/null
  local code=$?
  rm -rf "$work"
  return $code
}

build_peer() {
  local flags=
  # GCC 12 cannot compile llama.cpp's AVX512-FP16 path.
  grep -qw avx512_fp16 /proc/cpuinfo && flags=-mno-avx512fp16
  if grep -qw amx_tile /proc/cpuinfo && ! amx_works; then flags+=" -mno-amx-tile -mno-amx-int8 -mno-amx-bf16"; fi
  cmake -S "$source_folder" -B "$source_folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
    -DLLAMA_CURL=OFF -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags"
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
