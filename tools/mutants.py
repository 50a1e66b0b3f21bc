"""Removes one check after the other from the parsers and counts how many removals the tests notice.

    python tools/mutants.py [--folders src/formats src/text] [--limit N] [--report FILE]

A check is an `if` whose body returns an error, or a BRISK_TRY of a function that is named for checking. All of them
are made switchable in a copy of the tree (build/mutants), which is built once; then the test programs run once for
each, with that one check off. A removal is noticed when a test fails, crashes or hangs. Ends with an error when less
than 90 % are. Takes some minutes to an hour, so it is no part of the gate.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
TREE = WORK / "tree"
# The programs that test a folder, the quickest first.
PROGRAMS = {"src/formats": ["unit_formats", "fault_formats"], "src/text": ["unit_text", "unit_runtime"]}
EXPECTED_SHARE = 0.90
TIMEOUT_S = 120

# What makes an error: the names that src/ gives to such functions.
MAKER = r"(?:\w+::)*(?:\w*(?:refuse|bad_input|usage_error|environment_error|wrong|error|missing|not_\w+|no_\w+|fail)\w*)\s*\("
RETURNS_ERROR = re.compile(r"\s*(?:\{\s*)?return\s+(?:Status\s*\(\s*)?" + MAKER)
TRY_CHECK = re.compile(r"^(?P<indent>[ \t]*)BRISK_TRY\((?P<call>(?:\w+(?:\.|->|::))*(?:check|refuse|require|verify)\w*\()", re.MULTILINE)
IF = re.compile(r"\bif \(")

HEADER = """#pragma once
#include <cstdlib>
// Whether check `number` is on: all are but the one that BRISK_MUTANT names.
inline bool brisk_check_on(int number) {
  static const char* named = std::getenv("BRISK_MUTANT");
  static const int off = named != nullptr ? std::atoi(named) : -1;
  return number != off;
}
"""


def closing(text, at):
    """The position of the parenthesis that closes the one at `at`; strings and comments are passed over."""
    depth = 0
    while at < len(text):
        if text[at] in "\"'":
            quote = text[at]
            at += 1
            while text[at] != quote:
                at += 2 if text[at] == "\\" else 1
        elif text.startswith("//", at):
            at = text.index("\n", at)
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise ValueError("unbalanced parentheses")


def statement_of(condition):
    """(what precedes, the condition proper) of what stands in an if's parentheses; None when it only declares."""
    if ";" in condition:
        start, rest = condition.rsplit(";", 1)
        return start + ";", rest
    if re.match(r"\s*(?:const\s+)?(?:auto|[\w:<>*&]+)\s+[*&]?\w+\s*=[^=]", condition):
        name = re.search(r"(\w+)\s*=", condition)[1]
        return condition + ";", name
    return "", condition


def instrument(text, first):
    """The text with every check switchable, and [(line, what)] of the checks, numbered from `first`."""
    edits, found = [], []
    for match in IF.finditer(text):
        if text[text.rfind("\n", 0, match.start()) + 1 : match.start()].lstrip().startswith("//"):
            continue
        end = closing(text, match.end() - 1)
        if not RETURNS_ERROR.match(text, end + 1):
            continue
        before, condition = statement_of(text[match.end() : end])
        number = first + len(found)
        edits.append((match.end(), end, f"{before} brisk_check_on({number}) && ({condition})"))
        found.append((text.count("\n", 0, match.start()) + 1, "if (" + " ".join(text[match.end() : end].split()) + ")"))
    for match in TRY_CHECK.finditer(text):
        start = match.start("call") - len("BRISK_TRY(")
        end = closing(text, match.start("call") - 1)
        number = first + len(found)
        call = text[match.start("call") : end]
        edits.append((start, end + 2, f"if (brisk_check_on({number})) {{ BRISK_TRY({call}); }}"))
        found.append((text.count("\n", 0, start) + 1, " ".join(call.split())))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text, found


def copy_tree():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    shutil.rmtree(TREE, ignore_errors=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)


def instrument_tree(folders):
    """Every check of the copy made switchable: [(file, line, what)] by number."""
    checks = []
    for folder in folders:
        for path in sorted((TREE / folder).rglob("*.cpp")):
            text, found = instrument(path.read_text(), len(checks))
            path.write_text(text)
            checks += [(str(path.relative_to(TREE)), line, what) for line, what in found]
    (TREE / "mutant.hpp").write_text(HEADER)
    return checks


def build(programs):
    flags = f"-include {TREE}/mutant.hpp -Wno-error -Wno-parentheses -Wno-shadow"
    configure = ["cmake", "-S", TREE, "-B", WORK / "out", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBRISK_CLI=OFF"]
    subprocess.run([*configure, f"-DCMAKE_CXX_FLAGS={flags}"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", WORK / "out", "--target", *programs], check=True)


def noticed(number, programs):
    """The program whose tests notice that check `number` is off, or None."""
    environment = os.environ | {"BRISK_MUTANT": str(number), "BRISK_SOURCE_DIR": str(ROOT)}
    for program in programs:
        command = [WORK / "out" / "tests" / program, "--gtest_fail_fast", "--gtest_brief=1"]
        try:
            done = subprocess.run(command, env=environment, cwd=WORK, timeout=TIMEOUT_S, capture_output=True)
        except subprocess.TimeoutExpired:
            return program
        if done.returncode != 0:
            return program
    return None


def programs_of(file):
    return next(programs for folder, programs in PROGRAMS.items() if file.startswith(folder))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folders", nargs="+", choices=list(PROGRAMS), default=list(PROGRAMS))
    parser.add_argument("--limit", type=int, help="only the first N checks")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report", type=pathlib.Path, help="a JSON file to write")
    arguments = parser.parse_args()

    copy_tree()
    checks = instrument_tree(arguments.folders)[: arguments.limit]
    print(f"{len(checks)} checks", flush=True)
    programs = [program for folder in arguments.folders for program in PROGRAMS[folder]]
    build(programs)
    if program := noticed(-1, programs):
        sys.exit(f"{program} fails with all checks on: expected the tests to pass first")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        by = list(pool.map(lambda check: noticed(check[0], programs_of(check[1][0])), enumerate(checks)))
    survivors = [f"{file}:{line}: {what}" for (file, line, what), program in zip(checks, by) if program is None]
    share = 1 - len(survivors) / len(checks)
    for line in survivors:
        print(f"not noticed: {line}")
    print(f"{len(checks) - len(survivors)} of {len(checks)} removals noticed: {share:.1%}")
    if arguments.report:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        record = {"commit": commit, "checks": len(checks), "noticed": len(checks) - len(survivors), "share": share, "not_noticed": survivors}
        arguments.report.write_text(json.dumps(record, indent=2) + "\n")
    sys.exit(0 if share >= EXPECTED_SHARE else 1)


if __name__ == "__main__":
    main()
