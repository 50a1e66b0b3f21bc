#!/usr/bin/env python3
"""Writes the tables of characters that the pre-tokenizers look up, from Hugging Face's `tokenizers`.

    unicode_tables.py classes > src/text/char_class_tables.inc
    unicode_tables.py scripts > src/text/script_ranges.inc

Every code point is put to the pre-tokenizers themselves, so the tables hold what they do, whichever Unicode
version each of their parts follows.  Run with tokenizers==0.23.3.
"""

import sys

from tokenizers import Regex, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
BLOCK = 128

# The bits of src/text/char_class.hpp that a regular expression (Oniguruma, Unicode 16) states.
CLASSES = [
    (1, r"\p{L}"), (2, r"\p{N}"), (4, r"\s"), (8, r"\p{P}"), (16, r"\p{S}"), (32, r"\p{M}"),
    (64, r"[\p{Lu}\p{Lt}]"), (128, r"\p{Ll}"), (256, r"\p{Nd}"), (512, r"\p{Han}"),
]  # fmt: skip
WORD, SPLIT_PUNCTUATION, SPLIT_NUMBER = 1024, 2048, 4096


def characters_of(pre_tokenizer):
    """The characters that it keeps of a text of all characters."""
    text = "".join(map(chr, CODE_POINTS))
    return {ord(c) for piece, _ in pre_tokenizer.pre_tokenize_str(text) for c in piece}


def matched(pattern):
    return characters_of(pre_tokenizers.Split(Regex(pattern), "removed", invert=True))


def word_characters():
    """Those that pre-tokenizer "Whitespace" does not part from letters on both sides."""
    text = "".join(f"a{chr(c)}a " for c in CODE_POINTS)
    pieces = pre_tokenizers.Whitespace().pre_tokenize_str(text)
    return {ord(piece[1]) for piece, _ in pieces if len(piece) == 3}


def numbers():
    """Those that pre-tokenizer "Digits" parts from a letter."""
    text = "".join(f"a{chr(c)}" for c in CODE_POINTS)
    pieces = pre_tokenizers.Digits(individual_digits=False).pre_tokenize_str(text)
    return {ord(piece) for piece, _ in pieces if len(piece) == 1 and piece != "a"}


def classes_by_code_point():
    classes = [0] * 0x110000
    sets = [(bit, matched(pattern)) for bit, pattern in CLASSES]
    punctuation = set(CODE_POINTS) - characters_of(pre_tokenizers.Punctuation("removed"))
    sets += [(WORD, word_characters()), (SPLIT_PUNCTUATION, punctuation), (SPLIT_NUMBER, numbers())]
    for bit, members in sets:
        for c in members:
            classes[c] |= bit
    return classes


def print_numbers(name, numbers, kind):
    """A constexpr array, in lines of at most 110 characters."""
    print(f"constexpr {kind} {name}[] = {{")
    line = " "
    for number in numbers:
        item = f" {number},"
        if len(line) + len(item) > 110:
            print(line)
            line = " "
        line += item
    print(f"{line}\n}};")


def write_classes():
    classes = classes_by_code_point()
    sets = sorted(set(classes))
    number_of = {bits: i for i, bits in enumerate(sets)}
    blocks, index = {}, []
    for begin in range(0, 0x110000, BLOCK):
        block = tuple(number_of[bits] for bits in classes[begin : begin + BLOCK])
        index.append(blocks.setdefault(block, len(blocks)))
    assert len(sets) < 256 and len(blocks) < 65536
    print("// Written by tools/oracles/unicode_tables.py classes.")
    print_numbers("kClassSets", sets, "uint16_t")
    print_numbers("kBlockOf", index, "uint16_t")
    print_numbers("kBlocks", [number for block in blocks for number in block], "uint8_t")


def cuts_of(text):
    pieces = pre_tokenizers.UnicodeScripts().pre_tokenize_str(text)
    return {begin for _, (begin, _) in pieces}


def characters_of_any_script():
    """Those that are parted neither from a Latin nor from a Cyrillic letter."""
    cuts = cuts_of("".join(f"a{chr(c)}\u0436{chr(c)}" for c in CODE_POINTS))
    return {c for i, c in enumerate(CODE_POINTS) if 4 * i + 1 not in cuts and 4 * i + 3 not in cuts}


def scripts_by_code_point():
    """0 where any script will do, else a number for each script."""
    any_script = characters_of_any_script()
    rest = [c for c in CODE_POINTS if c not in any_script]
    cuts = sorted(cuts_of("".join(map(chr, rest)))) + [len(rest)]
    scripts, examples = [0] * 0x110000, []
    for begin, end in zip(cuts, cuts[1:]):
        cuts_here = cuts_of("".join(chr(rest[begin]) + example for example in examples))
        number = next((i for i in range(len(examples)) if 2 * i + 1 not in cuts_here), len(examples))
        if number == len(examples):
            examples.append(chr(rest[begin]))
        for c in rest[begin:end]:
            scripts[c] = number + 1
    return scripts


def write_scripts():
    ranges = []
    for c, script in enumerate(scripts_by_code_point()):
        if script == 0:
            continue
        if ranges and ranges[-1][1] == c - 1 and ranges[-1][2] == script:
            ranges[-1][1] = c
        else:
            ranges.append([c, c, script])
    print("// Written by tools/oracles/unicode_tables.py scripts.")
    line = ""
    for first, last, script in ranges:
        item = f"{{0x{first:04X}, 0x{last:04X}, {script}}},"
        if line and len(line) + 1 + len(item) > 110:
            print(line)
            line = ""
        line += (" " if line else "") + item
    print(line)


if __name__ == "__main__":
    writers = {"classes": write_classes, "scripts": write_scripts}
    if len(sys.argv) != 2 or sys.argv[1] not in writers:
        sys.exit(__doc__)
    writers[sys.argv[1]]()
