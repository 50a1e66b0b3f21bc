#!/usr/bin/env bash
# Fetches the text that the parity tests read into the user's cache: pages of English Wikipedia (text under
# CC BY-SA) that PyPI's gensim carries as test data. Only the file is taken; no code of the package runs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PACKAGE=gensim==4.4.0
MEMBER=gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2
SHA256=a53f4648dec40467ebdcbc7a1307eddb51fe6e28e9309f6ebde81ba0d04bea2d

folder=${XDG_CACHE_HOME:-$HOME/.cache}/brisk/data
target=$folder/enwiki.xml.bz2
matches() { [ -f "$1" ] && echo "$SHA256  $1" | sha256sum --check --status; }

matches "$target" && exit 0
ensure_venv pytest
mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $PACKAGE (28 MB) for its Wikipedia pages"
"$VENV/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$work" "$PACKAGE"
"$VENV/bin/python" - "$work" "$MEMBER" <<'PYTHON'
import pathlib, sys, zipfile

work, member = pathlib.Path(sys.argv[1]), sys.argv[2]
(work / "text").write_bytes(zipfile.ZipFile(next(work.glob("*.whl"))).read(member))
PYTHON
matches "$work/text" || fail "$PACKAGE, $MEMBER: expected sha256 $SHA256, got $(sha256sum "$work/text" | cut -d' ' -f1)"
mv "$work/text" "$target"
