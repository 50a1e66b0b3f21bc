"""The harness itself: a binary with faults, each of which must be found."""

import sys

import harness
import pytest
from harness import BAD_INPUT, MIB, Case, Catalogue

GOOD = "error: m.gguf: expected a model, got a stone; try another file"

# What the binary of the test does, by its first word.
FAULTY = f"""#!{sys.executable} -IS
import os, pathlib, signal, sys, time
def say(text, code=3):
    sys.stderr.write(text)
    sys.exit(code)
word, *rest = sys.argv[1:]
good = {GOOD!r} + "\\n"
if word in ("run", "version"): sys.exit(0)
if word == "good": say(good)
if word == "note": say("note: x\\nwarning: y\\n" + good)
if word == "json": say('{{"error": {{"where": "m.gguf", "expected": "a", "got": "b", "hint": "c", "code": 3}}}}\\n')
if word == "signal": os.kill(os.getpid(), signal.SIGSEGV)
if word == "abort": os.abort()
if word == "internal": say(good, 1)
if word == "accepts": sys.exit(0)
if word == "sanitizer": say("x.cpp:1:2: runtime error: overflow\\n" + good)
if word == "busy":
    while time.process_time() < 2: pass
    say(good)
if word == "memory":
    data = bytearray(b"x") * (120 << 20)
    say(good)
if word == "prints":
    print("tokens")
    say(good)
if word == "writes":
    pathlib.Path("left").write_text("x")
    say(good)
if word == "changes":
    pathlib.Path("m.gguf").write_text("changed")
    say(good)
if word == "home":
    (pathlib.Path(os.environ["HOME"]) / ".left").write_text("x")
    say(good)
if word == "two lines": say(good + good)
if word == "no line end": say(good.strip())
if word == "escape": say(good.replace("stone", chr(27) + "[31m"))
if word == "latin-1": os.write(2, good.replace("stone", chr(233)).encode("latin-1")); sys.exit(3)
if word == "silent": sys.exit(3)
if word == "long": say(good.replace("stone", "x" * 5000))
if word == "no got": say("error: m.gguf: expected a model\\n")
"""
FAULTS = {
    "signal": "signal 11", "abort": "signal 6", "internal": "exit 1", "accepts": "exit 0", "sanitizer": "sanitizer",
    "busy": "of CPU", "memory": "of memory", "prints": "printed", "writes": "the folder changed",
    "changes": "the folder changed", "home": "left at home", "two lines": "clean line", "no line end": "clean line",
    "escape": "clean line", "latin-1": "not UTF-8", "silent": "clean line", "long": "bytes", "no got": "its parts",
}  # fmt: skip


@pytest.fixture
def faulty(tmp_path):
    binary = tmp_path / "faulty"
    binary.write_text(FAULTY)
    binary.chmod(0o700)
    (tmp_path / "scratch").mkdir()
    catalogue = Catalogue(binary, tmp_path / "scratch")
    yield catalogue
    catalogue.close()


def wrong_with(catalogue, word, *more, **fields):
    folder = catalogue.scratch / "case"
    folder.mkdir()
    return catalogue.run_case(Case(word, [word, *more], {"m.gguf": b"x"}, seconds=1, **fields), folder)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(faulty, fault):
    wrong = wrong_with(faulty, fault)
    assert any(FAULTS[fault] in complaint for complaint in wrong), wrong


@pytest.mark.parametrize("word, more", [("good", []), ("note", []), ("json", ["--json"])])
def test_a_good_refusal_passes(faulty, word, more):
    assert wrong_with(faulty, word, *more) == []


def test_what_a_message_must_say(faulty):
    assert wrong_with(faulty, "good", says=("nothing of the kind",))


def test_a_message_in_another_form(faulty):
    assert wrong_with(faulty, "good", "--json")


def test_a_run_that_hangs_is_ended(faulty):
    lane = faulty.lanes[0]
    assert lane.run(["/bin/sleep", "60"], faulty.scratch, {}, seconds=0.2).late


def test_a_failed_case_fails_the_test(faulty, monkeypatch):
    monkeypatch.setattr(harness, "SAMPLE", 1)
    with pytest.raises(pytest.fail.Exception, match="1 of 2 cases"):
        faulty.check(Case("a", ["good"], {"m.gguf": b""}), Case("b", ["accepts"], {"m.gguf": b""}))


def test_the_parents_memory_is_not_counted(faulty):
    held = bytearray(b"x") * (200 * MIB)
    assert wrong_with(faulty, "good", codes=(BAD_INPUT,)) == [] and held
