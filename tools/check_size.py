"""Checks the length of source files: from 800 lines on a file is listed, beyond 1,200 it fails.

Tables may have 2,000 lines when they are listed here with a reason.
"""

import tree

LISTED_FROM = 800
MOST = 1200
MOST_OF_TABLES = 2000

# Path -> why it is one table.
TABLES = {"src/text/char_class_tables.inc": "classes of all characters, written by a script"}

SUFFIXES = tree.CPP_SUFFIXES | {".py", ".sh", ".cmake"}
FOLDERS = ("src", "cli", "python", "include", "tests", "bench", "tools", "scripts", "cmake", "examples")


def check(root, _):
    offences = []
    paths = tree.files(root, SUFFIXES, FOLDERS)
    for path in paths:
        lines = tree.read(root / path).count("\n")
        limit = MOST_OF_TABLES if str(path) in TABLES else MOST
        if lines > limit:
            offences.append(tree.Offence(str(path), lines, f"{lines} lines, at most {limit}: split it by subject"))
        elif lines > LISTED_FROM:
            print(f"note: {path} has {lines} lines; from {LISTED_FROM} on think of a split")
    for table in sorted(TABLES):
        if not (root / table).exists():
            offences.append(tree.Offence(table, 0, "listed as a table in tools/check_size.py, but not there"))
    return offences, f"{len(paths)} files"


if __name__ == "__main__":
    tree.run(__doc__, check)
