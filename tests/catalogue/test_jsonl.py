"""Rows 73 to 76 of the catalogue: items and questions, a JSON object on each line, for score, eval, profile."""

import gzip
import itertools
import json
import os

import models
import pytest
from harness import BAD_INPUT, EITHER, ENVIRONMENT, MIB, Case, rng
from models import tiny_gguf

SCORE = ["score", "{dir}/m.gguf", "-f", "{dir}/items.jsonl"]
EVAL = ["eval", "{dir}/m.gguf", "--task", "{dir}/items.jsonl"]
PROFILE = ["profile", "layers", "{dir}/m.gguf", "--calibrate", "{dir}/items.jsonl", "-o", "{dir}/out.json"]

ITEM = {"prompt": "Q: x?\nA:", "continuations": [" a", " b"]}
QUESTION = {"prompt": "Q: x?\nA:", "correct": [" a"], "incorrect": [" b", " c"]}
VERBS = {"score": (SCORE, ITEM), "eval": (EVAL, QUESTION)}


def case_of(name, verb, content, **more):
    words = VERBS[verb][0] if verb != "profile" else PROFILE
    content = content if isinstance(content, bytes) else content.encode()
    form = ["--json"] if len(name) % 2 else []
    return Case(
        f"{name}, {verb}", words + form, {"m.gguf": tiny_gguf().data(), "items.jsonl": content}, **more
    )


def lines(verb, count=100):
    return [json.dumps(VERBS[verb][1] | {"n": i}) for i in range(count)]


def both(name, change, **more):
    """A case for each verb; change(verb) makes the content."""
    return [case_of(name, verb, change(verb), **more) for verb in VERBS]


def test_good_files_work(catalogue):
    forms = {
        "plain": lambda text: text, "CRLF": lambda text: text.replace("\n", "\r\n"),
        "no last line end": lambda text: text.rstrip("\n"),
        "blank lines": lambda text: "\n \n" + text.replace("\n", "\n\n\t\n"),
        "unknown keys": lambda text: text.replace('"n"', '"é☕"'),
    }  # fmt: skip
    cases = []
    for name, change in forms.items():
        cases += both(name, lambda verb: change("\n".join(lines(verb, 3)) + "\n"), codes=(0,))
    catalogue.check(*cases)


# --- Row 73: a line that cannot be read ---


def test_row_73_line_57_of_100(catalogue):
    cases = []
    for verb in VERBS:
        whole = lines(verb)[56]
        for cut in rng("line 57", verb).sample(range(1, len(whole) - 1), 20):
            content = "\n".join([*lines(verb)[:56], whole[:cut], *lines(verb)[57:]])
            cases.append(case_of(f"cut at {cut}", verb, content, says=("items.jsonl", "57")))
        for label, line in {
            "trailing text": whole + " x", "two objects": whole * 2,
            "not UTF-8": whole.replace("x", "\udcff"), "a NUL": whole + "\0", "brackets": "[" * 100_000,
            "deep": whole[:-1] + ', "y": ' + "[" * 100_000 + "]" * 100_000 + "}", "comment": "// " + whole,
            "single quotes": whole.replace('"', "'"),
            "NaN": whole[:-1] + ', "y": NaN}', "BOM": "\ufeff" + whole,
            "long": whole[:-1] + ', "y": "' + "x" * 20 * MIB + '"}',
        }.items():  # fmt: skip
            content = "\n".join([*lines(verb)[:56], line, *lines(verb)[57:]]).encode(errors="surrogateescape")
            codes = EITHER if label == "BOM" else (BAD_INPUT,)
            cases.append(case_of(label, verb, content, codes=codes, says=("items.jsonl", "57")))
    catalogue.check(*cases)


def test_row_73_the_place_has_a_column(catalogue):
    """The message must lead to the character: line 57, column where the text ends or is wrong."""
    cases = []
    for verb in VERBS:
        whole = lines(verb)[56]
        wrong = whole.index(":") + 1
        content = "\n".join([*lines(verb)[:56], whole[:wrong] + "@" + whole[wrong:], *lines(verb)[57:]])
        cases.append(case_of("a wrong character", verb, content, says=("57", f":{wrong + 1}")))
    catalogue.check(*cases)


# --- Row 74: fields ---


def test_row_74_files_without_items(catalogue):
    contents = {
        "empty": b"",
        "one line end": b"\n",
        "blank lines": b"\n \n\t\r\n" * 1000,
        "20 MB of blank lines": b"\n" * 20_000_000,
    }
    cases = []
    for name, content in contents.items():
        cases += both(name, lambda verb: content, says=("items.jsonl", "item"), seconds=2)
    catalogue.check(*cases)


ODD = [
    None,
    7,
    -1,
    1.5,
    True,
    "",
    [],
    {},
    [[]],
    [None],
    [7.5],
    [-1],
    [""],
    ["a", 7],
    [{}],
    [[-1]],
    [[2**31]],
    [[2**63]],
    [[10**30]],
    [["a"]],
    [[1.0]],
]


def test_row_74_fields_missing_or_of_another_type(catalogue):
    cases = []
    for verb, (_, good) in VERBS.items():
        for key in good:
            gone = {k: v for k, v in good.items() if k != key}
            cases.append(case_of(f"without {key}", verb, json.dumps(gone), says=("line 1", key)))
            for value in ODD:
                legal = key == "prompt" and value in ("", [])  # nothing before the answers
                codes = EITHER if legal else (BAD_INPUT,)
                cases.append(
                    case_of(
                        f"{key} is {value!r}",
                        verb,
                        json.dumps(good | {key: value}),
                        codes=codes,
                        says=("line 1",),
                    )
                )
        for value in (7, "x", [], None, True, [good]):
            cases.append(case_of(f"line is {value!r}", verb, json.dumps(value), says=("line 1",)))
        for ident in (models.VOCABULARY, 2**31 - 1):
            cases.append(
                case_of(
                    f"token {ident}",
                    verb,
                    json.dumps(good | {"prompt": [1, ident]}),
                    says=("line 1", str(ident)),
                )
            )
        cases.append(
            case_of(
                "longer than the context",
                verb,
                json.dumps(good | {"prompt": "x" * 600}),
                says=("line 1", "512"),
            )
        )
        cases.append(
            case_of("a lone surrogate", verb, json.dumps(good | {"prompt": "\ud800"}), says=("line 1",))
        )
    for value in ODD:
        cases.append(case_of(f"text is {value!r}", "score", json.dumps({"text": value}), says=("line 1",)))
    cases.append(case_of("both forms", "score", json.dumps(ITEM | {"text": "x"}), says=("line 1",)))
    cases.append(
        case_of(
            "the same answer twice", "eval", json.dumps(QUESTION | {"incorrect": [" a"]}), says=("line 1",)
        )
    )
    catalogue.check(*cases)


def test_row_74_profile_reads_as_eval_does(catalogue):
    contents = {
        "empty": b"",
        "cut": json.dumps(QUESTION)[:-5].encode(),
        "no object": b"7",
        "another form": json.dumps(ITEM).encode(),
        "not UTF-8": b"\xff",
    }
    catalogue.check(
        *(case_of(name, "profile", content, says=("items.jsonl",)) for name, content in contents.items())
    )


# --- Row 76: files of another kind ---

OTHERS = {
    "Parquet": b"PAR1" + bytes(range(256)) * 8 + b"PAR1", "CSV": b"prompt,correct,incorrect\nx,a,b\n" * 20,
    "HTML": b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n",
    "gzip": gzip.compress(json.dumps(ITEM).encode() * 50),
    "zip": b"PK\x03\x04" + bytes(200), "SQLite": b"SQLite format 3\0" + bytes(200),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PNG": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "UTF-16": json.dumps(ITEM).encode("utf-16"), "zstd": b"\x28\xb5\x2f\xfd" + bytes(100),
    "xz": b"\xfd7zXZ\0" + bytes(100), "GGUF": b"GGUF\x03\0\0\0" + bytes(100),
    "a list": json.dumps([ITEM, ITEM]).encode(), "an indented object": json.dumps(ITEM, indent=2).encode(),
    "YAML": b"- prompt: x\n", "random": bytes(range(255, 0, -1)) * 40,
    "git-lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
}  # fmt: skip


def test_row_76_files_of_another_kind(catalogue):
    cases = []
    for name, content in OTHERS.items():
        cases += both(name, lambda verb: content, says=("items.jsonl",))
    catalogue.check(*cases)


@pytest.mark.xfail(strict=True, reason="evaluate/items.cpp does not say what a file looks like")
@pytest.mark.parametrize("name", ["Parquet", "CSV", "HTML", "gzip"])
def test_row_76_the_message_says_what_it_is(catalogue, name):
    catalogue.check(*both(name, lambda verb: OTHERS[name], says=(name,)))


def test_paths_that_are_no_files(catalogue):
    makers = {
        "a FIFO": lambda folder: os.mkfifo(folder / "items.jsonl"),
        "a folder": lambda folder: (folder / "items.jsonl").mkdir(),
        "a link to itself": lambda folder: (folder / "items.jsonl").symlink_to("items.jsonl"),
        "nothing": lambda folder: None,
    }  # fmt: skip
    cases = []
    for (name, make), (verb, (words, _)) in itertools.product(makers.items(), VERBS.items()):
        cases.append(
            Case(
                f"{name}, {verb}",
                words,
                {"m.gguf": tiny_gguf().data()},
                (ENVIRONMENT,),
                ("items.jsonl",),
                prepare=make,
            )
        )
    catalogue.check(*cases)


def test_items_through_a_pipe(catalogue):
    words = ["score", "{dir}/m.gguf", "-f", "-"]
    files = {"m.gguf": tiny_gguf().data()}
    contents = {"cut": b'{"text": "x', "empty": b"", "not UTF-8": b'{"text": "\xff"}', "gzip": OTHERS["gzip"]}
    catalogue.check(
        *(
            Case(name, words, files, says=("standard input",), stdin=content)
            for name, content in contents.items()
        )
    )
