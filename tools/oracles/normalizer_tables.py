#!/usr/bin/env python3
"""Writes src/text/normalizer_tables.inc: where Hugging Face's normalizers stand apart from utf8proc.

    normalizer_tables.py > src/text/normalizer_tables.inc

`tokenizers` carries Unicode data of several ages: decompositions, combining classes and marks of Unicode 9,
the non-spacing marks and controls of BERT from Unicode 8, lower case of Unicode 17. A model was trained with
what its tokenizer did, so we do the same. Run with tokenizers==0.23.3, libutf8proc of Unicode 15, and a regex
module that knows the newest Unicode: it tells what later versions of utf8proc will know. The values of assigned
characters never change.
"""

import ctypes
import sys
from pathlib import Path

import regex
from tokenizers import normalizers

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "differential"))
import charsmaps  # noqa: E402

CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def having(pattern):
    # One character at a time: findall over all of them at once finds others too (regex 2026.11.15).
    found = regex.compile(pattern).match
    return [c for c in CODES if found(chr(c))]


def removed_by(normalizer):
    return [c for c in CODES if normalizer.normalize_str(chr(c)) == ""]


def moves(nfd, c):
    """Whether the combining class of `c` is not 0: it changes places with a mark of class 240 or 1."""
    return nfd.normalize_str("a\u0345" + chr(c)) == "a" + chr(c) + "\u0345" or \
        nfd.normalize_str("a" + chr(c) + "\u0334") == "a\u0334" + chr(c)


def later_decompositions():
    nfd, nfkd = normalizers.NFD(), normalizers.NFKD()
    return sorted({c for c in having(r"\p{NFD_QC=N}") if nfd.normalize_str(chr(c)) == chr(c)} |
                  {c for c in having(r"\p{NFKD_QC=N}") if nfkd.normalize_str(chr(c)) == chr(c)})


def later_classes():
    nfd = normalizers.NFD()
    marks = having(r"\P{Canonical_Combining_Class=0}")
    return [c for c in marks if c not in (0x334, 0x345) and nfd.normalize_str(chr(c)) == chr(c) and not moves(nfd, c)]


def bert(**only):
    rules = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**(rules | only))


def ranges(codes):
    out = []
    for c in codes:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return [f"{{0x{a:X}, 0x{b:X}}}," for a, b in out]


def later_lower_case():
    """Ranges that move by one distance; those that Unicode 14 (Python 3.11) does not know."""
    lower, out = normalizers.Lowercase(), []
    for c in CODES:
        low = lower.normalize_str(chr(c))
        if low == chr(c).lower() or len(low) != 1:
            continue
        step = ord(low) - c
        if out and out[-1][1] == c - 1 and out[-1][2] == step:
            out[-1][1] = c
        else:
            out.append([c, c, step])
    return [f"{{0x{a:X}, 0x{b:X}, {step}}}," for a, b, step in out]


def grapheme_stand_ins():
    """Characters whose neighbours `tokenizers` joins to them, or not, other than utf8proc; each with a character
    that utf8proc treats so. Seen through a map that replaces whole graphemes."""
    breaks = ctypes.CDLL("libutf8proc.so.2").utf8proc_grapheme_break
    leads = {bytes([b]): "x" for b in range(0xC2, 0xF5)}
    normalize = normalizers.Precompiled(charsmaps.build(leads | {b"A": "y"})).normalize_str
    stand_ins = {}
    for c in CODES[0x80:]:
        text = chr(c)
        if (normalize("A" + text) == "y") and breaks(0x41, c):
            stand_ins[c] = 0x301  # a mark
        if (normalize(text + "A") == "x") != (not breaks(c, 0x41)):
            stand_ins[c] = 0x600 if breaks(c, 0x41) else 0x41  # a sign before numbers, a letter
        short = len(text.encode()) < 4
        if short and normalize(text + "\u0301") != "x" and not breaks(c, 0x301):
            stand_ins[c] = 0x200B  # a control
    out = []
    for c, like in sorted(stand_ins.items()):
        if out and out[-1][1] == c - 1 and out[-1][2] == like:
            out[-1][1] = c
        else:
            out.append([c, c, like])
    return [f"{{0x{a:X}, 0x{b:X}, 0x{like:X}}}," for a, b, like in out]


def table(comment, head, items, width=108):
    print(f"// {comment}\nconstexpr {head}[] = {{")
    line = "   "
    for item in items:
        if len(line) + 1 + len(item) > width:
            print(line)
            line = "   "
        line += " " + item
    print(line + "\n};")


def main():
    print("// Written by tools/oracles/normalizer_tables.py; what it is for stands there.\n")
    table("Have a decomposition since; `tokenizers` leaves them as they are.",
          "CodeRange kLaterDecompositions", ranges(later_decompositions()))
    table("Have a combining class since; `tokenizers` takes it for 0.", "CodeRange kLaterClasses",
          ranges(later_classes()))
    table("What StripAccents removes: marks (Mn, Mc, Me).", "CodeRange kMarks",
          ranges(removed_by(normalizers.StripAccents())))
    table("What BERT's strip_accents removes: non-spacing marks (Mn).", "CodeRange kNonspacingMarks",
          ranges(removed_by(bert(strip_accents=True))))
    table("What BERT's clean_text removes: controls, formats, private use, U+FFFD.", "CodeRange kControls",
          ranges(removed_by(bert(clean_text=True))))
    table("Lower case that came later: first, last, distance.", "CodeShift kLaterLowerCase", later_lower_case())
    table("Characters of other grapheme classes since: first, last, one that utf8proc treats so.",
          "CodeStandIn kGraphemeStandIns", grapheme_stand_ins())


if __name__ == "__main__":
    main()
