"""Rows 52 to 55, 58 and 62 of the catalogue: tokenizer.json files and vocabularies in GGUF files."""

import copy
import itertools
import json

import models
import pytest
from harness import BAD_INPUT, EITHER, MIB, Case, rng
from models import added_token, dump, vocabulary_gguf

FOLDER = ["tokenize", "{dir}/m"]
LITTLE = ["-p", "Hello wörld <|im_end|> 123"]


def case_of(name, content, words=(), **more):
    """A folder with nothing but this tokenizer.json (an object, or bytes as they are)."""
    content = content if isinstance(content, bytes) else dump(content)
    form = ["--json"] if len(name) % 2 else []
    words = [*FOLDER, *(words or LITTLE), *form]
    if "says" not in more and more.get("codes", (BAD_INPUT,)) == (BAD_INPUT,):
        more["says"] = ("tokenizer.json",)
    return Case(name, words, {"m/tokenizer.json": content}, **more)


def placed(path, value):
    """The tiny tokenizer with a value at a path of keys."""
    whole = models.tokenizer()
    part = whole
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return whole


# --- Row 52: syntax ---


def test_row_52_cuts(catalogue):
    whole = dump(models.tokenizer())
    places = sorted({*range(0, 8), *rng("tokenizer cuts").sample(range(1, len(whole)), 192)})
    catalogue.check(*(case_of(f"cut at {cut}", whole[:cut]) for cut in places))


def test_row_52_no_json(catalogue):
    whole = dump(models.tokenizer())
    contents = {
        "html": b"<!DOCTYPE html><html></html>",
        "sentencepiece": b"\x0a\x0e\x0a\x05<unk>\x15\0\0\0\0\x18\x02", "a list": b"[]", "null": b"null",
        "an empty object": b"{}", "UTF-16": whole.decode().encode("utf-16"), "trailing": whole + b"x",
        "100,000 brackets": b"[" * 100_000, "100,000 objects": b'{"model":' * 100_000,
        "latin-1": whole.replace("Ä".encode(), b"\xc4"),
        "two models": whole[:-1] + b',"model":{}}',
        "a git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
    }  # fmt: skip
    marked = case_of("a byte order mark", b"\xef\xbb\xbf" + whole, codes=EITHER)
    catalogue.check(marked, *(case_of(name, content) for name, content in contents.items()))


@pytest.mark.xfail(
    strict=True, reason="2,000,000 values may stand beside vocabulary and merges: 130 MiB for a file of 6 MB"
)
def test_many_values_cost_little(catalogue):
    if catalogue.sanitized:
        pytest.skip("memory is not measured under sanitizers")
    content = dump(models.tokenizer())[:-1] + b',"odd":[' + b"{}," * 1_900_000 + b"{}]}"
    catalogue.check(case_of("1,900,000 objects", content, codes=EITHER))


def test_row_52_lone_surrogates(catalogue):
    whole = dump(models.tokenizer()).replace(b'"<|im_end|>"', b'"\\ud800"')
    catalogue.check(case_of("a lone surrogate as a token", whole, says=()))


def test_row_52_parts_of_unknown_or_wrong_type(catalogue):
    cases = []
    parts = ("model", "normalizer", "pre_tokenizer", "post_processor", "decoder")
    for part, value in itertools.product(
        parts, [7, "x", [], True, {"type": "Nothing"}, {"type": 7}, {"type": None}, {}]
    ):
        # An object without a type was a BPE model in the first versions of the format.
        cases.append(case_of(f"{part} is {value}", placed((part,), value)))
    for part in parts[1:]:
        for depth in (50, 1000, 20_000):
            inner = {
                "normalizer": "normalizers",
                "pre_tokenizer": "pretokenizers",
                "post_processor": "processors",
                "decoder": "decoders",
            }[part]
            text = json.dumps(placed((part,), "HERE")).replace(
                '"HERE"', f'{{"type":"Sequence","{inner}":[' * depth + "]}" * depth
            )
            cases.append(case_of(f"{part}, {depth} sequences deep", text.encode()))
    for value in (7, "x", {}, [7], ["x"], [[]], [{}], [{"id": 0}]):
        cases.append(case_of(f"added tokens are {value}", placed(("added_tokens",), value)))
    catalogue.check(*cases)


def test_row_52_fields_of_another_type(catalogue):
    """Every field of the tiny tokenizer, with a value of each other type."""
    known_loose = {"version", "truncation", "padding"}  # which say nothing about tokens
    cases = []

    def walk(value, path):
        for key, inner in (value.items() if isinstance(value, dict) else enumerate(value)):
            if len(path) >= 1 and path[-1] == "vocab" and inner > 2:
                continue
            yield (*path, key), inner
            if isinstance(inner, (dict, list)):
                yield from walk(inner, (*path, key))

    for path, old in walk(models.tokenizer(), ()):
        for new in (None, 7, -1, 1.5, "x", [], {}, True):
            same = type(new) is type(old) or (old is None and new is None)
            if same or path[0] in known_loose:
                continue
            label = ".".join(map(str, path))
            cases.append(case_of(f"{label} is {new!r}", placed(path, new), codes=EITHER))
    assert len(cases) > 150
    catalogue.check(*cases)


# --- Row 53: ids ---


def test_row_53_ids(catalogue):
    cases = []
    for ident in (-1, 2**31, 2**32, 2**63, 2**64, 1.5, "7", None, [], True, 10**30, 100_000_000):
        cases.append(case_of(f"a token of id {ident}", placed(("model", "vocab", "!"), ident)))
        value = placed(("added_tokens", 0), added_token(ident, "<|im_start|>"))
        cases.append(case_of(f"an added token of id {ident}", value))
    cases.append(case_of("an id twice", placed(("model", "vocab", "\u00a1"), 5)))
    cases.append(
        case_of(
            "an added token at another token's id",
            placed(("added_tokens", 0), added_token(33, "<|im_start|>")),
            codes=EITHER,
        )
    )
    key_twice = dump(models.tokenizer()).replace('"!": 33'.encode(), '"!": 33, "!": 34'.encode())
    cases.append(case_of("a token twice", key_twice, codes=EITHER))
    cases.append(
        case_of(
            "an added token twice",
            placed(("added_tokens",), [added_token(256, "<x>"), added_token(257, "<x>")]),
            codes=EITHER,
        )
    )
    cases.append(
        case_of(
            "an id for two added tokens",
            placed(("added_tokens",), [added_token(256, "<x>"), added_token(256, "<y>")]),
            codes=EITHER,
        )
    )
    catalogue.check(*cases)


def test_row_53_more_tokens_than_rows(catalogue):
    files = {"m/" + name: content for name, content in models.tiny_folder().items()}
    value = models.tokenizer()
    value["added_tokens"].append(added_token(models.VOCABULARY, "<|one more|>"))
    files["m/tokenizer.json"] = dump(value)
    rows = str(models.VOCABULARY)
    catalogue.check(
        Case(
            "one token too many",
            ["run", "{dir}/m", "-n", "1", "-p", "x"],
            files,
            says=(rows, str(models.VOCABULARY + 1)),
        )
    )


def test_holes_work_as_in_hugging_face(catalogue):
    cases = []
    for hole in (300, 5000):
        value = models.tokenizer()
        value["added_tokens"].append(added_token(hole, "<|late|>"))
        check = lambda result, hole=hole: (
            "" if str(hole).encode() in result.out.split() else f"printed {result.out!r}"
        )  # noqa: E731
        case = case_of(f"nothing before {hole}", value, codes=(0,), check=check)
        case.words = [*FOLDER, "-p", "<|late|>"]
        cases.append(case)
    without = models.tokenizer()
    del without["model"]["vocab"]["!"]
    cases.append(case_of("no token 33", without, codes=(0,)))
    catalogue.check(*cases)


# --- Row 55: byte tokens ---

BYTE_TOKENS = [
    "<0x-1>",
    "<0xZZ>",
    "<0x100>",
    "<0x>",
    "<0x0>",
    "<0xFFFFFFFF>",
    "<0x 1>",
    "<0x+1>",
    "<0x1",
    "0x01>",
    "<0x1\n>",
    "<0X01>",
]


def test_row_55_byte_tokens(catalogue):
    """In the place of a byte's token, in both kinds of file, before a text that needs it."""
    cases = []
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a"]
    types = [2, 3, 3, *[6] * 256, 1, 1]
    for bad in BYTE_TOKENS:
        for place in (3, 3 + ord("q"), 3 + 255):
            tokens = [*pieces[:place], bad, *pieces[place + 1 :]]
            file = vocabulary_gguf(tokens, types, [0.0] * len(tokens), model="llama")
            words = ["tokenize", "{dir}/m.gguf", "-p", "q \u00ff\u0001 a"]
            cases.append(Case(f"{bad!r} at {place}", words, {"m.gguf": file.data()}, says=("m.gguf",)))
        value = models.tokenizer()
        value["model"] |= {
            "byte_fallback": True,
            "unk_token": "<unk>",
            "vocab": {p: i for i, p in enumerate([*pieces[:3], bad, *pieces[4:]])},
        }
        value |= {"added_tokens": [], "pre_tokenizer": None, "decoder": {"type": "ByteFallback"}}
        case = case_of(f"{bad!r} in tokenizer.json", value, codes=EITHER)
        cases.append(case)
        ids = Case(
            f"{bad!r} as text again", ["detokenize", "{dir}/m", "--ids", "3,4,255"], case.files, codes=EITHER
        )
        cases.append(ids)
    catalogue.check(*cases)


# --- Rows 58 and 62: patterns, empty texts ---


def with_pattern(regex, behavior="Isolated"):
    split = {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return placed(("pre_tokenizer",), {"type": "Sequence", "pretokenizers": [split, byte_level]})


HOSTILE = [
    "(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*)*b", "(a*)*b", "((a+)+)+b", "(?:a?){64}a{64}b", "(.*a){20}b",
    "(a+)+$", "^(a+)+b", "(?=(a+)+b)", "a*a*a*a*a*a*b", "(\\p{L}+)+\\d", "(?:(?:a|b|a)+)+c",
]  # fmt: skip
BROKEN = [
    "(", ")", "[", "a{", "*", "+a", "(?P<", "\\", "[z-a]", "a{9999999}", "(?<=a*)b", "(?C1)",
    "\\p{Nothing}", "(?R)", "(?1)", "((?1))",
    "(?<n>(?&n))", "(?:(?R))*", "\\1", "(a)\\2", "(*ACCEPT)", "(*LIMIT_MATCH=1)a", "\\C",
    "(?#",
]  # fmt: skip


def test_row_58_hostile_patterns(catalogue):
    text = b"a" * 65_536
    cases = []
    for regex in HOSTILE:
        for part, value in (
            ("split", with_pattern(regex)),
            (
                "normalizer",
                placed(("normalizer",), {"type": "Replace", "pattern": {"Regex": regex}, "content": "x"}),
            ),
        ):
            case = case_of(
                f"{part} {regex}", value, codes=EITHER, seconds=1.5, stdin=text, limits={"RLIMIT_STACK": MIB}
            )
            case.words = FOLDER
            cases.append(case)
    catalogue.check(*cases)


def test_row_58_patterns_that_are_none(catalogue):
    long = {
        "1 MB of letters": "a" * MIB, "1 MB of choices": "a|" * (MIB // 2),
        "1 MB of groups": "(" * (MIB // 2) + ")" * (MIB // 2),
        "1 MB of brackets": "[a]" * (MIB // 3), "60,000 groups": "(a)" * 60_000,
        "60,000 nested": "(?:" * 60_000 + "a" + ")" * 60_000,
        "nested repeats": "(" * 200 + "a" + "){2}" * 200, "a large repeat": "(?:a{60000}){60000}",
    }  # fmt: skip
    cases = []
    for regex in BROKEN:
        for behavior in ("Isolated", "Removed"):
            case = case_of(
                f"{regex!r}, {behavior}",
                with_pattern(regex, behavior),
                codes=EITHER,
                limits={"RLIMIT_STACK": MIB},
                seconds=1.5,
            )
            cases.append(case)
    for label, regex in long.items():
        cases.append(
            case_of(label, with_pattern(regex), codes=EITHER, limits={"RLIMIT_STACK": MIB}, seconds=1.5)
        )
    for behavior in ("Nothing", 7, ""):
        cases.append(case_of(f"behavior {behavior}", with_pattern("a", behavior)))
    catalogue.check(*cases)


@pytest.mark.parametrize("regex", ["(", "[", "a{2", "(?<n", "*", "\\p{Nothing}"])
def test_row_58_a_pattern_that_cannot_be_read_is_named(catalogue, regex):
    if regex == "a{2":
        pytest.skip("a brace that repeats nothing stands for itself")
    catalogue.check(case_of(regex, with_pattern(regex), says=("tokenizer.json", "pattern")))


def test_row_62_empty_texts_and_patterns(catalogue):
    text = b"Hello " * 10_000
    cases = []

    def add(label, value, codes):
        case = case_of(label, value, codes=codes, stdin=text, seconds=2)
        case.words = FOLDER
        cases.append(case)

    empty = models.tokenizer()
    empty["added_tokens"].append(added_token(258, ""))
    # Hugging Face's library takes neither of these into account when it cuts texts.
    add("an added token without text", empty, EITHER)
    for flags in (
        {"lstrip": True, "rstrip": True},
        {"single_word": True},
        {"normalized": True, "special": False},
    ):
        value = models.tokenizer()
        value["added_tokens"].append(added_token(258, "", **flags))
        add(f"the same, {flags}", value, EITHER)
    for pattern in (
        {"String": ""},
        {"Regex": ""},
        {"Regex": "x*"},
        {"Regex": "(?=H)"},
        {"Regex": "\\b"},
        {"Regex": "^"},
        {"Regex": "$|^"},
    ):
        for content in ("", "y", "yyyyyyyyyyyyyyyy"):
            add(
                f"replace {pattern} by {content!r}",
                placed(("normalizer",), {"type": "Replace", "pattern": pattern, "content": content}),
                EITHER,
            )
        split = {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
        add(f"split at {pattern}", placed(("pre_tokenizer",), split), EITHER)
    replace = {"type": "Replace", "pattern": {"String": "l"}, "content": "l" * 1000}
    for count in (1, 2, 3, 8):
        add(
            f"{count} replacements that grow",
            placed(("normalizer",), {"type": "Sequence", "normalizers": [replace] * count}),
            EITHER,
        )
    grow = {"type": "Prepend", "prepend": "x" * 100_000}
    add(
        "a prefix that grows",
        placed(("normalizer",), {"type": "Sequence", "normalizers": [grow] * 100}),
        EITHER,
    )
    catalogue.check(*cases)


def test_merges(catalogue):
    cases = []
    for merge in (
        ["a"],
        ["a", "b", "c"],
        [],
        "a",
        "a b c",
        "",
        " ",
        7,
        None,
        ["a", 7],
        ["nosuch", "a"],
        "nosuch a",
        ["a", "b"],
        {},
    ):
        cases.append(case_of(f"merge {merge!r}", placed(("model", "merges"), [merge])))
    value = copy.deepcopy(models.tokenizer())
    value["model"]["vocab"]["ab"] = 300
    value["model"]["merges"] = [["a", "b"]] * 3
    cases.append(case_of("a merge three times", value, codes=EITHER))
    catalogue.check(*cases)


# --- Vocabularies in GGUF ---


def test_gguf_vocabularies(catalogue):
    tokens = [chr(ord("a") + i) for i in range(20)]
    words = ["tokenize", "{dir}/m.gguf", "-p", "abc xyz"]
    cases = []
    for model in ("", "nothing", "rwkv", "plamo2", "no_vocab", "GPT2", "\x1b[31m", "x" * 70_000):
        cases.append(
            Case(
                f"model {model[:9]!r}",
                words,
                {"m.gguf": vocabulary_gguf(tokens, model=model).data()},
                says=("m.gguf",),
            )
        )
    for pre in ("nothing", "\x1b[31m", "x" * 70_000):
        cases.append(
            Case(
                f"pre {pre[:9]!r}",
                words,
                {"m.gguf": vocabulary_gguf(tokens, pre=pre).data()},
                says=("m.gguf",),
            )
        )
    for model in ("llama", "t5", "bert"):
        for scores in (
            [],
            [0.0] * 19,
            [0.0] * 21,
            [float("nan")] * 20,
            [float("inf")] * 20,
            [float("-inf")] * 20,
            [1e38] * 20,
        ):
            file = vocabulary_gguf(tokens, scores=scores, model=model)
            label = f"{model} with {len(scores)} scores of {scores[:1]}"
            cases.append(Case(label, words, {"m.gguf": file.data()}, codes=EITHER))
        for token in ("", "\0", b"\xff", "x" * 200_000, "▁" * 1000):
            file = vocabulary_gguf([*tokens[:5], token, *tokens[6:]], scores=[-1.0] * 20, model=model)
            cases.append(
                Case(f"{model} with a token {token[:3]!r}", words, {"m.gguf": file.data()}, codes=EITHER)
            )
    catalogue.check(*cases)
