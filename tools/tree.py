"""What the checks of the tree share: its files, C++ without comments and strings, and the report.

Each check is a program `tools/check_*.py [--root FOLDER]` that prints one line per offence and ends with
1 when there is one. tools/tests/test_checks.py plants an offence for each and sees it fail.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

CPP_SUFFIXES = {".cpp", ".hpp", ".inc", ".inl", ".h"}
SKIPPED_FOLDERS = {"build", ".git", ".venv", "__pycache__", "dist"}

# A comment, or a string or character literal (raw strings included); what matches first, wins.
_COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.DOTALL
)


@dataclass(order=True)
class Offence:
    path: str
    line: int
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}"


def files(root, suffixes, folders=("",)):
    """Files below the named folders of the tree, as sorted paths relative to the root."""
    found = set()
    for folder in folders:
        for path in (root / folder).rglob("*"):
            relative = path.relative_to(root)
            if path.suffix in suffixes and path.is_file() and not SKIPPED_FOLDERS & set(relative.parts):
                found.add(relative)
    return sorted(found)


def read(path):
    return path.read_text(encoding="utf-8")


def blank_comments(text, literals=True):
    """C++ with comments (and the insides of literals) blanked; every line keeps its number."""

    def blank(match):
        piece = match.group()
        if piece.startswith("/"):
            return re.sub(r"[^\n]", " ", piece)
        return piece[0] + re.sub(r"[^\n]", " ", piece[1:-1]) + piece[-1] if literals else piece

    return _COMMENT_OR_LITERAL.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def run(description, check, add_arguments=lambda parser: None):
    """The main function of a check: `check(root, arguments)` returns (offences, what it looked at, in words)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the tree to check")
    add_arguments(parser)
    arguments = parser.parse_args()
    offences, looked_at = check(arguments.root.resolve(), arguments)
    for offence in sorted(offences):
        print(offence)
    name = Path(sys.argv[0]).stem
    print(f"{name}: {len(offences)} offences in {looked_at}")
    sys.exit(1 if offences else 0)
