"""Rows 129 to 134 of the catalogue: options of every verb, outputs not to be written, closed descriptors.

The verbs and their options are read from the help of the binary itself, so that a new one is tested at once.
"""

import functools
import itertools
import json
import os
import re

import models
import pytest
from harness import BAD_INPUT, ENVIRONMENT, USAGE, Case, rng
from models import tiny_gguf

# What stands behind a verb so that it has all it needs, and does nothing before it finds the model missing.
WORDS = {
    "run": ["{dir}/absent.gguf", "-p", "x"], "chat": ["{dir}/absent.gguf"],
    "tokenize": ["{dir}/absent.gguf", "-p", "x"], "detokenize": ["{dir}/absent.gguf", "--ids", "1"],
    "template": ["{dir}/absent.gguf", "--messages", "{dir}/absent.json"],
    "score": ["{dir}/absent.gguf", "-f", "{dir}/absent.jsonl"],
    "eval": ["{dir}/absent.gguf", "--task", "{dir}/absent.jsonl"],
    "profile": ["layers", "{dir}/absent.gguf", "--calibrate", "{dir}/absent.jsonl", "-o", "{dir}/out.json"],
    "bench": ["{dir}/absent.gguf"], "show": ["{dir}/absent.gguf"], "pull": ["no/such", "--offline"],
    "rm": ["{dir}/absent.gguf", "-y"],
    "reproduce": ["no-such-system"],
}  # fmt: skip

WHOLE_NUMBERS = {"N", "K", "M"}  # placeholders of options that take one
# For every option these, and some of the others.
NO_NUMBERS = ["abc", "", str(2**70)]
OTHER_NO_NUMBERS = [
    "1.5.2",
    "1e",
    "--",
    "0x",
    "é",
    "1 2",
    "12abc",
    "\t",
    "9" * 400,
    "1,2",
    "½",
    "\u0661",
    "-9223372036854775809",
    str(2**63),
    "-" + "9" * 40,
]
PERHAPS = ["-1", "0", "1e9", str(2**40)]
OTHER_PERHAPS = [
    str(2**31),
    str(2**63 - 1),
    "-0",
    "+1",
    "1k",
    "1g",
    "1.5",
    "nan",
    "inf",
    "1e400",
    "-1e400",
    " 1",
]


@functools.cache
def help_of(catalogue, verb):
    result = catalogue.run([verb, "--help"])
    assert result.code == 0
    return result.out.decode()


@functools.cache
def verbs(catalogue):
    found = re.findall(r"^  ([a-z]+)  ", catalogue.run(["--help"]).out.decode(), re.M)
    assert len(found) >= 15, found
    return found


@functools.cache
def options(catalogue, verb):
    """[(spellings, placeholder)] of a verb; a flag has no placeholder."""
    found = []
    for line in re.findall(r"^  (-[^\n]*)", help_of(catalogue, verb), re.M):
        head = re.split(r"\s{2,}", line)[0]
        spellings = re.findall(r"(?:^|, )(--?[A-Za-z][\w-]*)", head)
        placeholder = re.sub(r"^(--?[A-Za-z][\w-]*(, )?)+", "", head).strip()
        found.append((spellings, placeholder))
    return found


def takes_text(placeholder):
    """Texts and names of files may be anything."""
    return placeholder.startswith(
        ("TEXT", "FILE", "MODEL", "OWNER", "REV", "LAYERS", "NAMES", "DIR", "STAGES")
    )


def all_options(catalogue):
    for verb in verbs(catalogue):
        for spellings, placeholder in options(catalogue, verb):
            yield verb, spellings, placeholder


def call(verb, *more):
    return [verb, *WORDS.get(verb, []), *more]


def long_of(spellings):
    return next(s for s in spellings if s.startswith("--"))


def test_the_help_was_understood(catalogue):
    found = {(verb, long_of(s)): p for verb, s, p in all_options(catalogue)}
    assert (
        found["run", "--threads"] == "T" and found["run", "--predict"] == "N" and found["run", "--json"] == ""
    )
    assert len(found) > 150


# --- Row 129: options ---


def test_row_129_values_that_are_no_numbers(catalogue):
    cases = []
    for verb, spellings, placeholder in all_options(catalogue):
        if not placeholder or takes_text(placeholder):
            continue
        option = long_of(spellings)
        for value in NO_NUMBERS + rng("values", verb, option).sample(OTHER_NO_NUMBERS, 3):
            lists = placeholder == "LIST" and value == "1,2"
            if lists or (option == "--ids" and value in ("", "1,2", "1 2", "\t")):
                continue
            codes = (USAGE, BAD_INPUT, ENVIRONMENT) if option == "--ids" else (USAGE,)
            says = () if option == "--ids" else (option,)
            cases.append(
                Case(
                    f"{verb} {option} {value[:20]!r}",
                    call(verb, f"{option}={value}"),
                    codes=codes,
                    says=says,
                    seconds=1,
                )
            )
    assert len(cases) > 500
    catalogue.check(*cases)


def test_row_129_numbers_at_the_edge(catalogue):
    """-1, 0, 1e9, 2^40 and their like: used, and then the model is missing, or refused with the range."""
    cases = []
    for verb, spellings, placeholder in all_options(catalogue):
        if not placeholder or takes_text(placeholder) or long_of(spellings) == "--ids":
            continue
        option = long_of(spellings)
        for value in PERHAPS + rng("values", verb, option).sample(OTHER_PERHAPS, 2):
            codes = (
                (USAGE, ENVIRONMENT, 0) if verb in ("list", "doctor", "reproduce") else (USAGE, ENVIRONMENT)
            )
            cases.append(Case(f"{verb} {option} {value}", call(verb, option, value), codes=codes, seconds=1))
    catalogue.check(*cases)


def test_row_129_hostile_values(catalogue):
    """Bytes that are no text, and very long ones, for options of every kind."""
    cases = []
    for verb, spellings, placeholder in all_options(catalogue):
        if not placeholder:
            continue
        option = long_of(spellings)
        for label, value in {
            "an escape": "\x1b[31m",
            "not UTF-8": "\udcff\udcfe",
            "long": "x" * 100_000,
            "a line end": "a\nb",
        }.items():
            text = placeholder.startswith("TEXT") and label != "not UTF-8"
            codes = (USAGE, BAD_INPUT, ENVIRONMENT) + ((0,) if text or verb == "reproduce" else ())
            cases.append(
                Case(f"{verb} {option}, {label}", call(verb, f"{option}={value}"), codes=codes, seconds=2)
            )
    catalogue.check(*cases)


def test_row_129_values_that_are_missing(catalogue):
    cases = []
    for verb, spellings, placeholder in all_options(catalogue):
        for spelling in spellings if placeholder else []:
            cases.append(Case(f"{verb} {spelling}", call(verb, spelling), codes=(USAGE,), says=(spelling,)))
            if "--json" in help_of(catalogue, verb):
                cases.append(
                    Case(
                        f"{verb} {spelling} --json",
                        call(verb, spelling, "--json"),
                        codes=(USAGE,),
                        says=(spelling,),
                    )
                )
        if not placeholder and long_of(spellings) not in ("--help", "--json"):
            option = long_of(spellings)
            cases.append(
                Case(
                    f"{verb} {option}=perhaps",
                    call(verb, option + "=perhaps"),
                    codes=(USAGE,),
                    says=(option,),
                )
            )
    catalogue.check(*cases)


def misspelt(option):
    """A letter left out, one doubled, two swapped."""
    middle = len(option) // 2 + 1
    yield option[:middle] + option[middle + 1 :]
    yield option[:middle] + option[middle] + option[middle:]
    yield option[: middle - 1] + option[middle] + option[middle - 1] + option[middle + 1 :]


def test_row_129_unknown_options_name_the_nearest(catalogue):
    cases, known = [], {}
    for verb, spellings, _ in all_options(catalogue):
        known.setdefault(verb, set()).update(spellings)
    for verb, spellings, _ in all_options(catalogue):
        option = long_of(spellings)
        for word in misspelt(option):
            if len(option) < 8 or word in known[verb]:
                continue
            cases.append(Case(f"{verb} {word}", call(verb, word), codes=(USAGE,), says=("--",)))
    for verb in verbs(catalogue):
        for word in ("--no-such-option-at-all", "-Z", "---", "--=", "-=5", "--\x1b[31m", "--é"):
            cases.append(Case(f"{verb} {word!r}", call(verb, word), codes=(USAGE,)))
    for word in ("rnu", "benhc", "tokenise", "", "-", "--", "é", "\x1b", "x" * 10_000):
        codes = (USAGE, 0) if word == "--" else (USAGE,)
        cases.append(Case(f"verb {word[:9]!r}", [word], codes=codes))
    catalogue.check(*{case.name: case for case in cases}.values())


def test_row_129_options_of_the_environment(catalogue):
    cases = []
    for verb, spellings, placeholder in all_options(catalogue):
        if placeholder in WHOLE_NUMBERS | {"T", "X"}:
            name = "BRISK_" + long_of(spellings)[2:].upper().replace("-", "_")
            for value in ("abc", str(2**70), "-\x1b"):
                cases.append(
                    Case(
                        f"{verb} {name}={value!r}",
                        call(verb),
                        variables={name: value},
                        codes=(USAGE,),
                        says=(name,),
                    )
                )
    assert len(cases) > 100
    catalogue.check(*cases)


def test_row_129_options_that_contradict_each_other(catalogue):
    lines = [
        ["run", "{dir}/a.gguf", "-m", "{dir}/b.gguf", "-p", "x"],
        ["run", "{dir}/a.gguf", "-p", "x", "-f", "{dir}/y"], ["run", "a", "b", "-p", "x"],
        ["run", "{dir}/a.gguf", "-p", "x", "--cache-type-k", "f16", "--cache-type-v", "q8_0"],
        ["detokenize", "{dir}/a.gguf", "--ids", "1", "--ids-file", "x"],
        ["run", "{dir}/a.gguf", "-p", "x", "--decode", "contrastive"],
        ["run", "{dir}/a.gguf", "-p", "x", "--decode", "prunecd"],
        ["run", "{dir}/a.gguf", "-hf", "no/such", "-p", "x"], ["score", "{dir}/a.gguf"],
        ["eval", "{dir}/a.gguf"], ["profile"], ["profile", "nothing"], ["template", "{dir}/a.gguf"],
    ]  # fmt: skip
    catalogue.check(*(Case(" ".join(words), words, codes=(USAGE, ENVIRONMENT)) for words in lines))


# --- Row 131: outputs ---

ITEMS = b'{"text": "some text"}\n'
QUESTION = json.dumps({"prompt": "Q:", "correct": [" a"], "incorrect": [" b"]}).encode()
FILES = {"m.gguf": None, "items.jsonl": ITEMS, "task.jsonl": QUESTION, "old": b"precious"}
WRITERS = {
    "score": (["score", "{dir}/m.gguf", "-f", "{dir}/items.jsonl"], "-o"),
    "eval": (["eval", "{dir}/m.gguf", "--task", "{dir}/task.jsonl"], "-o"),
    "profile": (["profile", "layers", "{dir}/m.gguf", "--calibrate", "{dir}/task.jsonl"], "-o"),
    "bench": (["bench", "{dir}/m.gguf", "-p", "1", "-n", "1", "-r", "1"], "--trace"),
}


def files():
    return FILES | {"m.gguf": tiny_gguf().data()}


def makers():
    return {
        "an existing file": ("{dir}/old", None),
        "a folder": ("{dir}/folder", lambda folder: (folder / "folder").mkdir()),
        "in a folder that is not there": ("{dir}/none/out", None), "below a file": ("{dir}/old/out", None),
        "nothing": ("", None), "a device": ("/dev/null", None),
        "a FIFO": ("{dir}/fifo", lambda folder: os.mkfifo(folder / "fifo")),
        "a link to nothing": ("{dir}/link", lambda folder: (folder / "link").symlink_to("none")),
        "a link to itself": ("{dir}/link", lambda folder: (folder / "link").symlink_to("link")),
        "a long name": ("{dir}/" + "x" * 300, None), "a zero-length part": ("{dir}/folder/", None),
    }  # fmt: skip


def test_row_131_outputs_that_are_refused(catalogue):
    cases = []
    for (verb, (words, option)), (label, (path, prepare)) in itertools.product(
        WRITERS.items(), makers().items()
    ):
        for force in ([], ["--force"]):
            if force and label in ("an existing file", "a link to nothing"):
                continue
            name = f"{verb} to {label} {''.join(force)}"
            # It is refused before anything is computed: the model is not even there.
            without = {k: v for k, v in files().items() if k != "m.gguf"}
            for present in (files(), without):
                if present is without and verb != "score":
                    continue
                cases.append(
                    Case(
                        f"{name}, {len(present)} files",
                        [*words, option, path, *force],
                        present,
                        (USAGE, ENVIRONMENT),
                        prepare=prepare,
                    )
                )
    catalogue.check(*cases)


@pytest.mark.parametrize("verb", WRITERS)
def test_row_131_output_is_the_input(catalogue, verb):
    words, option = WRITERS[verb]
    inputs = ["m.gguf"] + (["items.jsonl"] if verb == "score" else ["task.jsonl"] if verb != "bench" else [])
    cases = []
    for name in inputs:
        cases.append(Case(f"{name}", [*words, option, "{dir}/" + name], files(), (USAGE, ENVIRONMENT)))
    catalogue.check(*cases)


@pytest.mark.xfail(
    strict=True, reason="AtomicFile does not know what the verb reads: --force replaces the model itself"
)
@pytest.mark.parametrize("path", ["{dir}/m.gguf", "{dir}/./m.gguf"])
@pytest.mark.parametrize("verb", ["score", "eval", "bench"])
def test_row_131_force_spares_the_input(catalogue, verb, path):
    words, option = WRITERS[verb]
    catalogue.check(Case(path, [*words, option, path, "--force"], files(), (USAGE, ENVIRONMENT)))


@pytest.mark.parametrize("verb", ["score", "eval", "bench"])
def test_row_131_force_replaces_no_file_behind_a_link(catalogue, verb):
    """The new file takes the link's name; what the link led to stays."""
    words, option = WRITERS[verb]
    cases = []
    for label, make in (
        ("hard", lambda folder: os.link(folder / "m.gguf", folder / "out")),
        ("soft", lambda folder: (folder / "out").symlink_to("m.gguf")),
    ):
        both = [*words, option, "{dir}/out", "--force"]
        cases.append(
            Case(f"a {label} link", both, files(), (0,), prepare=make, writes=True, kept=("m.gguf",))
        )
    catalogue.check(*cases)


def test_row_131_a_failure_leaves_no_output(catalogue):
    """What fails behind the opening of the output leaves nothing, and with --force the old file."""
    cases = []
    bad = {"m.gguf": tiny_gguf().data()[:-100]}
    for verb, (words, option) in WRITERS.items():
        for path, force in (("{dir}/new", []), ("{dir}/old", ["--force"])):
            cases.append(Case(f"{verb} {path}", [*words, option, path, *force], files() | bad))
    broken = {"items.jsonl": b'{"text": 7}', "task.jsonl": b"{}"}
    for verb in ("score", "eval", "profile"):
        words, option = WRITERS[verb]
        cases.append(Case(f"{verb} of broken items", [*words, option, "{dir}/new"], files() | broken))
    catalogue.check(*cases)


# --- Row 134: closed descriptors ---

QUIET = {
    "version": [], "doctor": [], "list": [], "help": [], "completion": ["bash"], "show": ["{dir}/m.gguf"],
    "tokenize": ["{dir}/m.gguf", "-p", "x"], "detokenize": ["{dir}/m.gguf", "--ids", "97"],
    "run": ["{dir}/m.gguf", "-p", "x", "-n", "1"], "score": ["{dir}/m.gguf", "-f", "{dir}/items.jsonl"],
    "bench": ["{dir}/m.gguf", "-p", "1", "-n", "1", "-r", "1"],
}  # fmt: skip


def test_row_134_closed_descriptors(catalogue):
    cases = []
    for verb, words in QUIET.items():
        for closed in itertools.chain.from_iterable(
            itertools.combinations(("stdin", "stdout", "stderr"), n) for n in (1, 2, 3)
        ):
            codes = (ENVIRONMENT,) if "stdout" in closed else (0,)
            cases.append(Case(f"{verb} without {closed}", [verb, *words], files(), codes, closed=closed))
    state = {"XDG_STATE_HOME": "{dir}/state"}
    for verb in ("run", "chat"):
        words = [verb, "{dir}/m.gguf", "-n", "1"]
        codes = (0, USAGE, BAD_INPUT, ENVIRONMENT)
        name = f"{verb} waits for no input"
        cases.append(Case(name, words, files(), codes, closed=("stdin",), writes=True, variables=state))
    catalogue.check(*cases)


@pytest.mark.xfail(strict=True, reason="parts of an error are not cut for --json")
def test_an_error_in_json_is_short_too(catalogue):
    check = lambda result: f"{len(result.err)} bytes" if len(result.err) > 8192 else ""  # noqa: E731
    words = ["run", "-p", "x", "--threads=" + "x" * 100_000, "--json"]
    catalogue.check(Case("a long value", words, codes=(USAGE,), check=check))
