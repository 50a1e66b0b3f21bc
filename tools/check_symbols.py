"""Checks the object files of the kernels' ISA levels (avx2.cpp, avx512_q8.cpp, ...).

Two copies of an inline function have one name, and the linker keeps either: if the copy compiled for
AVX-512 wins, older machines die. So objects compiled above the baseline may define no weak or unique
symbol, and what they define for others lies in the namespace of their level.
"""

import re
import subprocess
from pathlib import Path

import tree

LEVELS = {"ref": False, "avx2": True, "avx512": True}  # level -> compiled above the baseline
SHARED_KINDS = {"W": "weak", "V": "weak", "u": "unique"}  # as nm writes them; a lower-case w is undefined
GLOBAL_KINDS = set("TDBRS")


def level_of(path):
    """kernels/gemm/avx512_q8.cpp.o -> avx512; None for other objects."""
    match = re.fullmatch(r"([a-z0-9]+)(_\w+)?\.cpp\.o", path.name)
    return match[1] if match and match[1] in LEVELS else None


def defined_symbols(path):
    """(kind, demangled name) of what an object file defines."""
    output = subprocess.run(["nm", "-C", "--defined-only", str(path)], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        _, kind, name = line.split(" ", 2)
        yield kind, name


def check_object(path, shown, level):
    for kind, name in defined_symbols(path):
        if kind in SHARED_KINDS and LEVELS[level]:
            yield tree.Offence(shown, 0, f"defines the {SHARED_KINDS[kind]} symbol {name}: other objects may be given this copy")
        elif kind in GLOBAL_KINDS and not name.startswith(f"brisk::kernels::{level}::"):
            yield tree.Offence(shown, 0, f"defines {name} outside brisk::kernels::{level}")


def check(root, arguments):
    build = (root / arguments.build).resolve()
    offences = []
    count = 0
    for path in sorted(build.glob("**/kernels/**/*.cpp.o")):
        level = level_of(path)
        if level:
            count += 1
            offences += check_object(path, str(path.relative_to(build)), level)
    if count == 0:
        offences.append(tree.Offence(str(build), 0, "no object file of a kernel here: build first"))
    return offences, f"{count} object files"


def add_arguments(parser):
    parser.add_argument("--build", type=Path, default=Path("build/dev"), help="the build folder to check")


if __name__ == "__main__":
    tree.run(__doc__, check, add_arguments)
