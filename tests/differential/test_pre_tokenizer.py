"""Our pre-tokenizers cut as Hugging Face's tokenizers do: the rule of every known expression, PCRE2 on the same
expressions, every step, on random texts of all planes and on texts that are made to be hard."""

import bz2
import json
import os
import random
import re
from pathlib import Path

import pytest
from tokenizers import Regex, pre_tokenizers

TREE = Path(__file__).resolve().parents[2]
CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
ISOLATED = BEHAVIORS.index("isolated")


def known_patterns():
    """The expressions of src/text/known_patterns.cpp: each an entry {"regex", rule}."""
    source = (TREE / "src/text/known_patterns.cpp").read_text(encoding="utf-8")
    literal = r'R"\((?:.|\n)*?\)"|"(?:[^"\\]|\\.)*"'
    table = source[source.index("kKnown[] = {") :]
    escapes = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t", '\\"': '"'}

    def value(text):
        if text.startswith("R"):
            return text[3:-2]
        return re.sub(r'\\[\\nrt"]', lambda match: escapes[match[0]], text[1:-1])

    entries = re.findall(rf"\{{((?:\s|{literal})+),\s*(split_\w+)\}}", table)
    assert len(entries) == len(re.findall(r"\bsplit_\w+\}", table))
    return [("".join(value(part) for part in re.findall(literal, text)), rule) for text, rule in entries]


KNOWN = known_patterns()

# What words are made of: each pool gives code points that some rule tells apart.
POOLS = [
    [ord(c) for c in "'sStTdDmMlLrReEvV\u017f"],
    [ord(c) for c in " \t\n\r\u00a0\u3000\u2028\u0085"],
    [ord(c) for c in "   \n"],
    list(range(ord("a"), ord("z") + 1)),
    list(range(ord("A"), ord("Z") + 1)),
    [ord(c) for c in "aB\u00e9\u00c9\u01c5\u02b0\u00aa\u05d0\u4e2d\u0301\u0903\u20dd"],
    [ord(c) for c in "0123456789"],
    [ord(c) for c in "12\u0663\u00b2\u00bd\u2167\u3007\u2460"],
    [ord(c) for c in "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~"],
    [ord(c) for c in "/\r\n!"],
    [ord(c) for c in "\u3001\u3002\uff01\uff0c\u2026\u2018\u201c\u2014\u060c\u06d4\u0964"],
    [0x1F600, 0x200D, 0xFE0F, 0x1F3FD, 0x2764],
    list(range(0x3040, 0x3100)),
    list(range(0x4E00, 0x4E40)) + [0x3005, 0x2E80, 0x3400, 0x20000, 0xF900],
    list(range(0xAC00, 0xAC20)) + [0x1100, 0x3131, 0x3105],
    list(range(0xE00, 0xE60)) + list(range(0x900, 0x970)),
    list(range(0x400, 0x460)) + list(range(0x391, 0x3CA)),
    [0, 1, 0x7F, 0xAD, 0x200B, 0x180E, 0xFFFD, 0x10FFFF, 0xE000, 0x378],
]


def random_texts(seed, count, codes=None):
    """Texts of a few pools each; `codes`: only these, if given."""
    rng = random.Random(seed)
    pools = [[c for c in pool if codes is None or c in codes] for pool in POOLS + [CODES]]
    for i in range(count):
        mix = rng.sample(pools, rng.randrange(1, 5))
        weights = [rng.choice([1, 1, 5, 20]) for _ in mix]
        length = rng.randrange(1, 12 if i % 2 else 300)
        runs = (rng.choices(mix, weights)[0] for _ in range(length))
        text = []
        for pool in runs:
            text += [rng.choice(pool)] * rng.choice([1, 1, 1, 1, 2, 3, 8])
        yield "".join(map(chr, text))


HARD = ["", " ", "  a", "a  ", "\n\n a", " \n", "   \n  x", "a'S'll'\u017f'RE x", "12345 1234567", "12345a 123_ 9", "\u0301a\u0301",
        " " * 700 + "x", " " * 1025, "\t" * 513 + "\n", "HTTPServer camelCase ABCdef aB", "a b c  d\u0301 e", "<sentinel:12>IMGIMGABZ",
        "IMGIMGABCDEFZ <sentinel:>", "\u4e2d\u6587abc\u3042\u30a2", "9" * 20 + "\u00bd" + "9" * 4]  # fmt: skip


def texts_of(seed, count, codes=None):
    return HARD + list(random_texts(seed, count, codes))


def compare(judge, choice, reference, texts, what):
    replies = judge("pre_tokenizer")([b"c" + json.dumps(choice).encode()] + [b"t" + t.encode() for t in texts])
    assert replies[0] == {}, what
    for text, reply in zip(texts, replies[1:]):
        assert reply.get("words") == reference(text), f"{what}: {text!r}: {reply}"


def words_of(pre_tokenizer):
    return lambda text: [word for word, _ in pre_tokenizer.pre_tokenize_str(text)]


@pytest.mark.parametrize("number", range(len(KNOWN)), ids=[f"{i}-{rule}" for i, (_, rule) in enumerate(KNOWN)])
def test_rules_of_known_expressions(judge, seed, file_count, number):
    regex = KNOWN[number][0]
    split = pre_tokenizers.Split(Regex(regex), "isolated")
    texts = texts_of(seed + number, max(200, file_count // 25))
    choice = {"rule": regex, "behavior": ISOLATED, "invert": False}
    compare(judge, choice, words_of(split), texts, f"seed {seed}: {regex}")


def real_text(name):
    """A text that scripts/fetch_test_data.sh has fetched, in parts of some lines."""
    path = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "brisk/data" / name
    if not path.exists():
        pytest.skip(f"no {name}: run scripts/fetch_test_data.sh")
    opened = bz2.open(path) if path.suffix == ".bz2" else path.open("rb")
    lines = opened.read(2_000_000).decode("utf-8", "ignore").splitlines(keepends=True)
    return ["".join(lines[i : i + 200]) for i in range(0, len(lines), 200)]


@pytest.mark.parametrize("name", ["manpages.txt", "enwiki.xml.bz2"])
def test_rules_on_real_text(judge, name):
    texts = real_text(name)
    for regex, rule in {rule: (regex, rule) for regex, rule in KNOWN}.values():
        split = pre_tokenizers.Split(Regex(regex), "isolated")
        compare(judge, {"rule": regex, "behavior": ISOLATED, "invert": False}, words_of(split), texts, f"{rule}, {name}")


@pytest.fixture(scope="session")
def shared_codes():
    """Code points that PCRE2's older Unicode version takes for what Oniguruma's takes them for."""
    import unicodedata

    kinds = {"C": r"[\p{Cc}\p{Cf}\p{Co}]", "L": r"\p{L}", "M": r"\p{M}", "N": r"\p{N}", "P": r"\p{P}", "S": r"\p{S}", "Z": r"\p{Z}"}
    text = "".join(map(chr, CODES))
    known = {}
    for kind, regex in kinds.items():
        pieces = pre_tokenizers.Split(Regex(regex), "removed", invert=True).pre_tokenize_str(text)
        known |= {c: kind for piece, _ in pieces for c in piece}
    return {c for c in CODES if known.get(chr(c)) == unicodedata.category(chr(c))[0]}


@pytest.mark.parametrize("number", range(len(KNOWN)), ids=[f"{i}-{rule}" for i, (_, rule) in enumerate(KNOWN)])
def test_pcre2_agrees_on_known_expressions(judge, seed, shared_codes, file_count, number):
    regex = KNOWN[number][0]
    if "&&" in regex:
        pytest.skip("PCRE2 has no sets of sets")
    split = pre_tokenizers.Split(Regex(regex), "isolated")
    texts = texts_of(seed + number, max(100, file_count // 200), shared_codes)
    choice = {"pattern": regex, "behavior": ISOLATED, "invert": False}
    compare(judge, choice, words_of(split), texts, f"seed {seed}: {regex}")


# Expressions that only PCRE2 runs, each for something that is rewritten or easily read otherwise.
PATTERNS = [
    r"\w+", r"\W", r"\b", r"\B", r"\bx|\d+\b", r"\s", r"\S+$", r"^\s*", r"$", r"^", r"x*", r"(?=\p{L})", r"(?<=a)b|(?<!\s)c",
    r"a.b|(?m:a.b)", r"(?i)the|'S", r"(?i:the)|[^\s\S]", r"\p{N}{1,3}+", r"a{2}?", r"a{1,2}?b", r"a?+a|b*+", r"a{,2}b", r"a{x}|b{",
    r"[a[bc]]+", r"[\w-]+", r"[^\s\w]+", r"[\s\S]", r"[]a]+", r"[\]a\-]", r"(?<name>a)|(b)", r"(?>a+)b|a", r"\A.|.\z|.\Z",
    r"\x41|\x{1F600}|\u0042", r"\p{^L}+", r"\P{L}+", r"\p{Greek}+|\p{Han}", r"[\u4e00-\u9fa5]+", r"\t|\n|\-|\/", r"#|-| ", r"(?:a|)",
    r"(?:\r?\n)+(?!\r?\n)", "[一-龥]", r"(?i:[a-c])+", r"é+|É",
]  # fmt: skip


@pytest.mark.parametrize("regex", PATTERNS)
def test_pcre2_reads_as_oniguruma(judge, seed, shared_codes, regex):
    texts = texts_of(seed, 300, shared_codes) + ["a\nb aXb", "the THE a{x} aab", "x\n", "\n", "aa\n\nbb\n"]
    for behavior, name in enumerate(BEHAVIORS):
        for invert in (False, True):
            split = pre_tokenizers.Split(Regex(regex), name, invert=invert)
            choice = {"pattern": regex, "behavior": behavior, "invert": invert}
            compare(judge, choice, words_of(split), texts, f"seed {seed}: {regex} {name} {invert}")


@pytest.mark.parametrize("behavior", range(len(BEHAVIORS)), ids=BEHAVIORS)
def test_behaviors(judge, seed, behavior):
    name = BEHAVIORS[behavior]
    texts = texts_of(seed, 300)
    for invert in (False, True):
        for regex in (KNOWN[0][0], r"\p{N}", r"\s+", r"\p{N}{1,3}"):
            split = pre_tokenizers.Split(Regex(regex), name, invert=invert)
            choice = {"rule": regex, "behavior": behavior, "invert": invert}
            compare(judge, choice, words_of(split), texts, f"seed {seed}: {regex} {name} {invert}")
        for literal in (" ", "aa", "\u4e2d"):
            split = pre_tokenizers.Split(literal, name, invert=invert)
            choice = {"step": "literal", "literal": literal, "behavior": behavior, "invert": invert}
            compare(judge, choice, words_of(split), texts, f"seed {seed}: {literal!r} {name} {invert}")


def byte_level(add_prefix_space, use_regex):
    """The words of "ByteLevel" as bytes: ours leaves the alphabet to the word model."""
    pre = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)
    table = {}
    for byte in range(256):
        printable = 33 <= byte <= 126 or 161 <= byte <= 172 or 174 <= byte <= 255
        table[chr(byte if printable else 256 + sum(1 for b in range(byte) if not (33 <= b <= 126 or 161 <= b <= 172 or 174 <= b)))] = byte
    return lambda text: [bytes(table[c] for c in word).decode() for word, _ in pre.pre_tokenize_str(text)]


def fixed_length(length):
    return lambda text: [text[i : i + length] for i in range(0, len(text), length)]


STEPS = [
    *[({"step": "byte_level", "add_prefix_space": a, "use_regex": b}, byte_level(a, b)) for a in (False, True) for b in (False, True)],
    *[({"step": "metaspace", "replacement": "\u2581", "scheme": i, "split": split},
       words_of(pre_tokenizers.Metaspace("\u2581", scheme, split)))
      for i, scheme in enumerate(["always", "first", "never"]) for split in (False, True)],
    *[({"step": "digits", "individual": flag}, words_of(pre_tokenizers.Digits(flag))) for flag in (False, True)],
    *[({"step": "punctuation", "behavior": i}, words_of(pre_tokenizers.Punctuation(name))) for i, name in enumerate(BEHAVIORS)],
    ({"step": "whitespace"}, words_of(pre_tokenizers.Whitespace())),
    ({"step": "whitespace_split"}, words_of(pre_tokenizers.WhitespaceSplit())),
    ({"step": "bert"}, words_of(pre_tokenizers.BertPreTokenizer())),
    ({"step": "char_delimiter", "delimiter": "-"}, words_of(pre_tokenizers.CharDelimiterSplit("-"))),
    ({"step": "unicode_scripts"}, words_of(pre_tokenizers.UnicodeScripts())),
    ({"step": "fixed_length", "length": 3}, fixed_length(3)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(STEPS)), ids=[json.dumps(choice) for choice, _ in STEPS])
def test_steps(judge, seed, file_count, number):
    choice, reference = STEPS[number]
    texts = texts_of(seed + number, max(200, file_count // 50)) + ["\u2581a \u2581\u2581b ", "\u2581"]
    texts += ["".join(map(chr, CODES[i : i + 300])) for i in range(0, len(CODES), 300)]
    compare(judge, choice, reference, texts, f"seed {seed}: {choice}")


@pytest.mark.parametrize("regex", [r"(a)\1", r"(?<x>a\g<x>?)", r"(?R)", r"(?1)(a)", r"\h", r"\R", r"\X", r"\K", r"[a&&b]", r"[a[^b]]",
                                   r"[[:alpha:]]", r"[\W_]", r"(?x) a", r"a(?i)b", r"(*FAIL)", r"(?#c)", r"a**", r"a+?+", "(", ")", "[a",
                                   "a\\", r"\p{Nonsense}", r"(?<=a+)b", "(" * 200 + "a" + ")" * 200, r"(?:(?:a{1000}){1000}){1000}", "*",
                                   "a" * 1_000_000])  # fmt: skip
def test_refused(judge, regex):
    choice = {"pattern": regex, "behavior": ISOLATED, "invert": False}
    (reply,) = judge("pre_tokenizer")([b"c" + json.dumps(choice).encode()])
    assert "pattern '" in reply.get("refused", ""), reply
