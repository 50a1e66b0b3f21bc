"""Checks names and habits that a compiler does not: file names, names of types, enum class only, nothing
thrown, no std::regex, few pragmas, operating-system calls on files in base/ only, and in what reads users' files one
way to open them and one to take ranges of their bytes.
"""

import re

import tree

FILE_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*\.[a-z]+")
# PascalCase; an underscore may stand before the tail of a format's name (BlockQ4_K).
TYPE_NAME = re.compile(r"[A-Z][A-Za-z0-9]*(_[0-9A-Z]+)*")
TYPE = re.compile(
    r"^[ \t]*(?:template[ \t]*<[^;{]*>\s*)?(?:enum[ \t]+class|class|struct|union)[ \t]+"
    r"(?:\[\[\w+\]\][ \t]*|alignas\([^)]*\)[ \t]*)*(?P<name>\w+)[ \t]*(?:final[ \t]*)?(?:[:{]|$)",
    re.MULTILINE,
)
ALIAS = re.compile(r"^[ \t]*using[ \t]+(?P<name>\w+)[ \t]*=", re.MULTILINE)
# Names that libraries ask of our types: the standard library of iterators, nlohmann-json of receivers of events.
ASKED_ALIASES = {"value_type", "difference_type", "iterator_category", "iterator", "pointer", "reference"}
ASKED_ALIASES |= {"number_integer_t", "number_unsigned_t", "number_float_t", "string_t", "binary_t"}

# A call at the start of a statement or inside an expression, as opposed to a member function or a declaration.
_CALL = r"(?:^[ \t]*|\s:\s+|[=(,!;{{&|?+]\s*|\breturn\s+)(?:::)?\b(?:{names})\s*\("

# What reads files that users bring.
READERS = ("src/formats", "src/text", "src/models", "src/hub")

# (pattern, what is wrong, below which folders it is wrong (none: everywhere), below which of them it is right)
HABITS = [
    (re.compile(r"(?<!using )\benum\s+(?!class\b)"), "use enum class", (), ()),
    (re.compile(r"\bstd::w?regex\b|#\s*include\s*<regex>"), "std::regex recurses without limit: write a scanner", (), ()),
    (re.compile(r"#\s*pragma\s+(?!once\b|GCC (?:unroll|diagnostic)\b)"), "only #pragma once, GCC unroll and GCC diagnostic", (), ()),
    (re.compile(r"\bthrow\b"), "Brisk throws nothing: return a Status", ("src",), ()),
    (
        re.compile(
            _CALL.format(names="open|openat|openat2|syscall|opendir|scandir|creat|mmap|munmap|mremap|fopen|freopen|fdopen"),
            re.MULTILINE,
        ),
        "files are opened and mapped in base/ only",
        ("src",),
        ("src/base",),
    ),
    (
        re.compile(r"\b(?:basic_)?[io]?fstream\b|\b(?:basic_)?filebuf\b|\b(?:open_regular_file|require_regular|read_descriptor)\s*\("),
        "users' files are opened by Folder, MappedFile, read_file and AtomicFile only",
        READERS,
        (),
    ),
    (
        re.compile(r"\b(?:recursive_)?directory_iterator\b"),
        "folders are listed by Folder::files",
        READERS,
        ("src/hub",),
    ),
    (
        re.compile(r"(?:\.|->)(?:template\s+)?(?:subspan|first|last)\s*(?:<[^;()]*>\s*)?\("),
        "ranges of a file's bytes are taken by ByteReader or byte_range (base/reader.hpp)",
        ("src/formats",),
        (),
    ),
]


def starts_below(path, folders):
    return any(path.is_relative_to(folder) for folder in folders)


def check_file(path, text):
    offences = []

    def offend(offset, what):
        offences.append(tree.Offence(str(path), tree.line_of(text, offset), what))

    for match in list(TYPE.finditer(text)) + list(ALIAS.finditer(text)):
        name = match["name"]
        if not TYPE_NAME.fullmatch(name) and name not in ASKED_ALIASES:
            offend(match.start("name"), f"type {name}: types are PascalCase")
    for pattern, what, only_below, except_below in HABITS:
        if only_below and not starts_below(path, only_below) or starts_below(path, except_below):
            continue
        if path.name in ("test.cpp", "bench.cpp") and only_below:
            continue
        for match in pattern.finditer(text):
            offend(match.start() + len(match.group()) - len(match.group().lstrip()), what)
    return offences


def check(root, _):
    offences = []
    paths = tree.files(root, tree.CPP_SUFFIXES, ("src", "cli", "python", "include", "tests", "bench", "examples"))
    for path in paths:
        if not FILE_NAME.fullmatch(path.name):
            offences.append(tree.Offence(str(path), 1, "file names are snake_case"))
        offences += check_file(path, tree.blank_comments(tree.read(root / path)))
    return offences, f"{len(paths)} files"


if __name__ == "__main__":
    tree.run(__doc__, check)
