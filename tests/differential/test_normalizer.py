"""Our normalizers give what those of Hugging Face's tokenizers give: every code point alone and after others,
and random text of all planes."""

import base64
import json
import random

import pytest
from tokenizers import normalizers

import charsmaps

CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]

NORMALIZERS = {
    "nfc": {"type": "NFC"},
    "nfd": {"type": "NFD"},
    "nfkc": {"type": "NFKC"},
    "nfkd": {"type": "NFKD"},
    "lowercase": {"type": "Lowercase"},
    "strip_accents": {"type": "StripAccents"},
    "strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "strip_left": {"type": "Strip", "strip_left": True, "strip_right": False},
    "strip_right": {"type": "Strip", "strip_left": False, "strip_right": True},
    "prepend": {"type": "Prepend", "prepend": "\u2581"},
    "replace": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
    "replace_long": {"type": "Replace", "pattern": {"String": "aa"}, "content": "b"},
    "replace_spaces": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    "replace_white": {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
    "replace_line_ends": {"type": "Replace", "pattern": {"Regex": r"\n"}, "content": "<n>"},
    "replace_pattern": {"type": "Replace", "pattern": {"Regex": r"[aeiou]+(?=\p{L})"}, "content": "*"},
    "nmt": {"type": "Nmt"},
    "byte_level": {"type": "ByteLevel"},
    "bert": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
             "lowercase": True},
    "bert_cased": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                   "lowercase": False},
    "bert_accents": {"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": False,
                     "strip_accents": False, "lowercase": True},
    "sequence": {"type": "Sequence", "normalizers": [
        {"type": "Nmt"}, {"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        {"type": "Lowercase"}]},
    **{f"precompiled_{name}": {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(blob).decode()}
       for name, blob in charsmaps.all_maps().items()},
}


def reference(spec):
    """The normalizer of `tokenizers` that the specification names."""
    from tokenizers import Tokenizer, models

    shell = json.loads(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")).to_str())
    return Tokenizer.from_str(json.dumps(shell | {"normalizer": spec})).normalizer.normalize_str


def random_texts(seed, count=400):
    """Texts that mix scripts with what normalizers change: marks, compatibility forms, spaces, controls."""
    rng = random.Random(seed)
    pools = [
        lambda: rng.choice(CODES),
        lambda: rng.randrange(0x300, 0x370),
        lambda: rng.randrange(0x20, 0x7F),
        lambda: rng.choice([9, 10, 13, 32, 32, 0xA0, 0x3000, 0x200B, 0x2028]),
        lambda: rng.randrange(0xC0, 0x250),
        lambda: rng.choice([0x1100, 0x1161, 0x11A8, 0xAC00, 0xAC01, 0x1112, 0x1175, 0x11C2]),
        lambda: rng.randrange(0x591, 0x6FF),
        lambda: rng.randrange(0x900, 0xE00),
        lambda: rng.randrange(0x1D00, 0x2200),
        lambda: rng.choice([0x3099, 0x309A]) if rng.random() < 0.3 else rng.randrange(0x3041, 0x30FF),
        lambda: rng.randrange(0xF900, 0x10000),
        lambda: rng.randrange(0x11000, 0x11A00),
    ]
    for _ in range(count):
        mix = rng.sample(pools, rng.randrange(1, len(pools)))
        yield "".join(chr(rng.choice(mix)()) for _ in range(rng.randrange(1, 400)))


def single_characters():
    """Each code point between letters, and after one; many to a text, lines apart."""
    for begin in range(0, len(CODES), 512):
        part = CODES[begin : begin + 512]
        yield "\n".join(chr(c) for c in part)
        yield "\n".join("A" + chr(c) + "\u0301b" for c in part)
        yield "\n".join(chr(c) + "\u0334\u0345" + chr(c) for c in part)


@pytest.mark.parametrize("name", NORMALIZERS)
def test_equal(judge, seed, name):
    spec = NORMALIZERS[name]
    normalize = reference(spec)
    texts = ["", " ", "   a  b   ", "\r\n", "Ab\r\n\u0301"] + list(random_texts(seed)) + list(single_characters())
    replies = judge("normalizer")([b"n" + json.dumps(spec).encode()] + [b"t" + text.encode() for text in texts])
    assert replies[0] == {}
    for text, reply in zip(texts, replies[1:]):
        assert reply == {"text": normalize(text)}, f"seed {seed}: {text!r}"
    print(f"\n{name}: {sum(map(len, texts))} characters equal")
