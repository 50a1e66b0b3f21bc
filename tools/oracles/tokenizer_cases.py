#!/usr/bin/env python3
"""Writes what the tokenizer tests compare with, from Hugging Face's `tokenizers`.

    tokenizer_cases.py pieces   > tests/data/tokenizers/pre_tokenizers.jsonl
    tokenizer_cases.py ids VOCABULARY.gguf [PRE_TOKENIZER] > tests/data/tokenizers/NAME.jsonl

`pieces` cuts nasty texts with every rule list.  `ids` encodes the same texts,
and longer ones, with the tokens and merges of a GGUF file.  Run with tokenizers==0.23.3, gguf, numpy.
"""

import json
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers

# --- Pre-tokenizers ----------------------------------------------------------------------------------

FOLDED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LINES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
U = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
L = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
PRE = r"[^\r\n\p{L}\p{N}]?"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
DEEPSEEK_LETTERS = (
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-Ֆ\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd"
    "\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d"
    "\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe"
    "\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107"
    "\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f"
    "\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d"
    "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17"
    "\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb"
    "\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943")

NUMBER, CJK = r"\p{N}", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
RULES = {
    "gpt-2": [GPT2],
    "smollm": [NUMBER, GPT2],
    "llama-bpe": [rf"{FOLDED}|{PRE}\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{LINES}"],
    "qwen2": [rf"{FOLDED}|{PRE}\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{LINES}"],
    "qwen35": [rf"{FOLDED}|{PRE}[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{LINES}"],
    "gpt-4o": [rf"{PRE}{U}*{L}+{FOLDED}?|{PRE}{U}+{L}*{FOLDED}?|\p{{N}}{{1,3}}"
               rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{LINES}"],
    "tekken": [rf"{PRE}{U}*{L}+|{PRE}{U}+{L}*|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{LINES}"],
    "falcon": [r"[\p{P}$+<=>^`|~]+", GPT2, "[0-9][0-9][0-9]"],
    "deepseek-llm": ["[\r\n]", rf"\s?[{DEEPSEEK_LETTERS}]+",
                     r"\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
                     r"\s+$", CJK, NUMBER],
    "deepseek-coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK, NUMBER],
    "deepseek-v3": [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"
                    r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|" + LINES],
}


def pre_tokenizer(name, byte_level):
    splits = [pre_tokenizers.Split(Regex(unescape(rule)), "isolated") for rule in RULES[name]]
    if byte_level:
        splits.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    return pre_tokenizers.Sequence(splits)


def falcon_pre_tokenizer():
    """As Falcon's tokenizer.json has it, where numbers are parted after bytes became characters."""
    return pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])


def unescape(rule):
    """\\uXXXX of a raw string as the character: Oniguruma's own syntax for it differs."""
    out, at = "", 0
    while (found := rule.find(r"\u", at)) >= 0:
        out += rule[at:found] + chr(int(rule[found + 2:found + 6], 16))
        at = found + 6
    return out + rule[at:]


# --- Texts -------------------------------------------------------------------------------------------

HAND_MADE = [
    "", " ", "  ", "   ", "\t", "\n", "\n\n", "\n\n\n", "\r\n", "\r\n\r\n", " \n", "\n ", " \n ",
    "\t\n\t", "a", " a", "  a",
    "a ", "a  ", "a\n", "a \n", "a \n b", "a\n\n b", "a\n  \n  b", "  \n\n  x", "x   \t  y", "\u00a0",
    "a\u00a0b",
    "a\u3000b", "a \u3000 b", "\u2028", "a\u2028b \u2029 c", "\u0085x", "\x0b\x0c y", "\u200b",
    "a\u200bb", "\ufeffa",
    "Hello, world!", "Hello  World", "HELLO world", "don't", "DON'T", "I'LL I'll I'Ll",
    "we've WE'VE we'rE'", "it's'", "'s",
    " 's", "''s", "'", "' s", "'\u017f x'\u017f", "y'all'd've", "it\u2019s", "'sx", "'Sx", "'re're",
    "x'D", "'ll1",
    "0", "12", "123", "1234", "1234567890", " 1", " 12 345", "3.14", "1,000,000", "2024-01-02T03:04",
    "v1.2.3", "a1b2c3",
    "\u0661\u0662\u0663", "\u00bd\u00b2\u00b3\u00b9", "\u2160\u2161\u2162\u2163", "x\u00b2",
    "\u0967\u0968\u0969\u096a",
    "!", "!!", "!?!", " !", "a!", "a !b", "...", " ...\n", "...\n\n", "?\r\n?", "/\n/", "//\n",
    "#include <x>\n", "foo_bar",
    "snake_case CamelCase camelCaseHTTPServer", "HTTPServer XMLHttpRequest iOS", "ABCdef abcDEF aBcDeF",
    "\u01c5ab \u01c4\u01c6",
    "$100 \u20ac5 100%", "a+b=c", "x^2", "`code`", "```py\nprint(1)\n```", "<|im_start|>user",
    "<|endoftext|>", "<|im_end|>\n",
    "<b>bold</b>", "{\"a\": [1, 2.5e-3, null]}", "C:\\dir\\file.txt",
    "https://example.org/a?b=c&d=%20#e", "a@b.co",
    "\u00e9", "e\u0301", "cafe\u0301 caf\u00e9", "\u0301", " \u0301a", "a\u0301\u0302\u0303b",
    "\u0301\u0301 x", "F\u00fchrer na\u00efve",
    "Stra\u00dfe \u0130stanbul \u0131", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
    "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5",
    "\u0627\u0644\u0633\u0644\u0627\u0645 \u0639\u0644\u064a\u0643\u0645",
    "\u0645\u064e\u0631\u0652\u062d\u064e\u0628\u064b\u0627\u060c",
    "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01",
    "\u4f60\u597d\uff0c\u4e16\u754c\uff01",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\u3067\u3059\u3002",
    "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4",
    "\u6f22\u5b57kanji\u304b\u306a 123\u5186", "\uff28\uff45\uff4c\uff4c\uff4f\uff01",
    "\u3000\u3001\u3002", "\uff10\uff11\uff12", "\u02bc\u02b0\u02b1 \u0294",
    "\U0001f600", "\U0001f600\U0001f601 \U0001f602",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f44d\U0001f3fd",
    "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
    "\u2764\ufe0f", "1\ufe0f\u20e3", "\u263a\u2026\u2014\u2013\u201c\u201d", "\U0001fae0 \U0001fae8",
    "\U0001d400\U0001d401 \U0001d7ce\U0001d7cf",
    "\U00010400\U00010428 \U0001e900\U0001e922", "\U00020000\U0002a6df \U00031350\U000323af",
    "\U0001f9ff\u00ae\u2122", "\u1c89\u1c8a \ua7cb",
    "\x00", "a\x00b", "\x00\x00", "\x01\x02\x03\x04\x05\x06\x07\x08", "\x7f", "\x1b[31mred\x1b[0m",
    "\u0080\u009f", "\ud7ff\ue000\uf8ff", "\ufffd\ufffe\uffff",
    "\U0010ffff", "\U000e0001\U000e0041", "\U0003fffd \U00040000", "a\u00adb", "\u202eabc\u202c",
    "\u0483\u0488 x", "\u20dd\u20de",
    "a" * 300, "ab" * 200, " " * 300, " " * 40 + "x",
    "\n" * 100, " \n" * 50, "9" * 100, "!" * 120, "\u4e2d" * 60, "\U0001f600" * 40,
    "\u00aaAAA \u00aaAAA", "AAA\u00aa", "AA\u0301AA", "\u0301AA", "\u02b0A\u02b0", "aA\u4e2dAa",
    "\u0e01AB", "-\u0301-", "\t\u0301\u0301", "\u05d0\u0301'S'll",
    "The quick brown fox jumps over the lazy dog.",
    "  def f(x):\n\treturn x ** 2  # comment\n\n\nprint(f(3))\n",
    "ied 4 \u00bd months", "Missing apostrophe: dont; present: don't, 'tis, rock 'n' roll",
    "Supercalifragilisticexpialidocious antidisestablishmentarianism",
]

PARTS = [
    " ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "'", "a", "The", "HTTP", "word", "\u00e9", "e\u0301",
    "\u0301", "\u4e2d\u6587", "\u304b\u306a", "\ud55c\uae00", "1", "22", "333", "4444", "\u0663", "\u00bd",
    ".", "...", "!?", "$", "_", "-", "/", "\u2014", "\u3002", "\u3000", "\u00a0", "\U0001f600", "\u200d",
    "\ufe0f", "\u0430\u0411", "\u01c5", "\u02b0", "\u05d0", "\u0928\u093f", "\x00", "\x7f", "\u2028",
    "<|im_end|>", "\U0001e900", "\u00aa", "ABC", "xyz", "\u017f", "\ufffd",
]


def random_texts(n, seed):
    r = random.Random(seed)
    texts = ["".join(r.choice(PARTS) for _ in range(r.randint(2, 14))) for _ in range(n)]
    kinds = [(0, 0x80), (0, 0x250), (0x250, 0x3000), (0x3000, 0xD800), (0xE000, 0x20000), (0x20000, 0x110000)]
    for _ in range(n // 3):
        low, high = r.choice(kinds)
        texts.append("".join(chr(r.randrange(low, high)) for _ in range(r.randint(2, 24))))
    return texts


def written(alphabet, text):
    """The text in the characters of byte-level BPE, one for each byte."""
    return "".join(piece for piece, _ in alphabet.pre_tokenize_str(text))


# --- Output ------------------------------------------------------------------------------------------

def write_pieces():
    """One line per text: {"text": ..., "ends": {name: [ends of the pieces, in bytes]}}; equal ones once."""
    cutters = {name: pre_tokenizer(name, byte_level=False) for name in RULES}
    for text in HAND_MADE + random_texts(400, seed=1):
        groups = {}
        for name, cutter in cutters.items():
            ends, at = [], 0
            for piece, _ in cutter.pre_tokenize_str(text):
                at += len(piece.encode())
                ends.append(at)
            assert at == len(text.encode()), (name, text)
            groups.setdefault(tuple(ends), []).append(name)
        print(json.dumps({"text": text, "ends": {" ".join(names): ends for ends, names in groups.items()}},
                         separators=(",", ":")))


def write_ids(path, pre):
    """One line per text: {"text": ..., "ids": plain text, "special": with special tokens recognised}."""
    import gguf

    fields = gguf.GGUFReader(path).fields
    value = lambda key: fields["tokenizer.ggml." + key].contents()
    tokens, types = value("tokens"), value("token_type")
    merges = [tuple(merge.split(" ")) for merge in value("merges")]
    pre = pre or value("pre")
    plain = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges,
                                 ignore_merges=pre in ("llama-bpe", "tekken")))
    plain.pre_tokenizer = falcon_pre_tokenizer() if pre == "falcon" else pre_tokenizer(pre, byte_level=True)
    special = Tokenizer.from_str(plain.to_str())
    special.add_special_tokens([AddedToken(t, normalized=False, special=True)
                                for t, kind in zip(tokens, types) if kind == 3])
    print(json.dumps({"pre_tokenizer": pre, "tokens": len(tokens)}))
    alphabet, token_set = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), set(tokens)
    for text in HAND_MADE + random_texts(300, seed=2):
        if pre == "falcon" and not token_set.issuperset(written(alphabet, text)):
            continue  # the note at kFalcon in src/text/pre_tokenizer.cpp
        line = {"text": text, "ids": plain.encode(text, add_special_tokens=False).ids}
        with_special = special.encode(text, add_special_tokens=False).ids
        if with_special != line["ids"]:
            line["special"] = with_special
        print(json.dumps(line, separators=(",", ":")))


if __name__ == "__main__":
    verb, *rest = sys.argv[1:] or ["help"]
    if verb == "pieces":
        write_pieces()
    elif verb == "ids":
        write_ids(rest[0], rest[1] if len(rest) > 1 else "")
    else:
        sys.exit(__doc__)
