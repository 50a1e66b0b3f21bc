#!/usr/bin/env python3
"""Writes src/text/template/unicode_exceptions.inc: where Python's str differs from what categories and simple
case mappings say.

    python tools/oracles/chat_template_unicode.py
"""

import pathlib
import unicodedata

PATH = pathlib.Path(__file__).resolve().parents[2] / "src/text/template/unicode_exceptions.inc"
CHARACTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(test):
    found = []
    for code in (ord(c) for c in CHARACTERS if test(c)):
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def rows(items):
    lines, line = [], " "
    for item in items:
        if len(line) + len(item) + 1 > 108:
            lines.append(line)
            line = " "
        line += " " + item
    return "\n".join(lines + [line])


def range_table(name, comment, test):
    items = [f"{{0x{first:X}, 0x{last:X}}}," for first, last in ranges(test)]
    return f"/// {comment}\nconstexpr CodeRange {name}[] = {{\n{rows(items)}\n}};\n"


def codes(text):
    return "{" + ", ".join(f"0x{ord(c):X}" for c in text) + "}"


def main():
    category = unicodedata.category
    special = [c for c in CHARACTERS if len(c.upper()) > 1 or len(c.title()) > 1]
    items = [f"{{0x{ord(c):X}, {codes(c.upper())}, {codes(c.title())}}}," for c in special]
    zeros = [c for c in CHARACTERS if category(c) == "Nd" and unicodedata.decimal(c) == 0]
    assert all(unicodedata.decimal(chr(ord(c) + i)) == i for c in zeros for i in range(10))
    assert [c for c in CHARACTERS if len(c.lower()) > 1] == ["\u0130"]
    parts = [
        "// Written by tools/oracles/chat_template_unicode.py from Python's str, Unicode " + unicodedata.unidata_version + ".\n",
        range_table("kOtherUpper", "str.isupper, but not of category Lu.", lambda c: c.isupper() and category(c) != "Lu"),
        range_table("kOtherLower", "str.islower, but not of category Ll.", lambda c: c.islower() and category(c) != "Ll"),
        range_table("kOtherDigits", "str.isdigit, but not of category Nd.", lambda c: c.isdigit() and category(c) != "Nd"),
        range_table("kOtherNumbers", "str.isnumeric, but of no category N.", lambda c: c.isnumeric() and category(c)[0] != "N"),
        range_table("kNotIdentifierStarts", "Of a category L or Nl, but no start of an identifier.",
                    lambda c: not c.isidentifier() and (category(c)[0] == "L" or category(c) == "Nl")),
        range_table("kOtherIdentifierStarts", "Starts of identifiers that are of no category L or Nl.",
                    lambda c: c.isidentifier() and not (category(c)[0] == "L" or category(c) == "Nl")),
        range_table("kNotIdentifierParts", "Of a category L, Nl, Mn, Mc, Nd or Pc, but never in an identifier.",
                    lambda c: not ("a" + c).isidentifier() and (category(c)[0] == "L" or category(c) in ("Nl", "Mn", "Mc", "Nd", "Pc"))),
        range_table("kOtherIdentifierParts", "In identifiers, but of none of those categories.",
                    lambda c: ("a" + c).isidentifier() and not (category(c)[0] == "L" or category(c) in ("Nl", "Mn", "Mc", "Nd", "Pc"))),
        f"/// The zeros; the other digits follow each.\nconstexpr char32_t kDecimalZeros[] = {{\n{rows(f'0x{ord(c):X},' for c in zeros)}\n}};\n",
        f"/// Characters whose upper or title case is several characters.\nconstexpr SpecialCase kSpecialCases[] = {{\n{rows(items)}\n}};\n",
    ]
    PATH.write_text("\n".join(parts), encoding="utf-8")
    print(f"{PATH}: {PATH.stat().st_size} bytes")


if __name__ == "__main__":
    main()
