"""`brisk reproduce`: finds recipes and Python, runs the quick recipe of system 27 from end to end, resumes, stops."""

import importlib.util
import json
import pathlib
import signal
import sys
import time

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
MISSING = [name for name in ("torch", "gguf", "numpy", "matplotlib") if importlib.util.find_spec(name) is None]
needs_packages = pytest.mark.skipif(bool(MISSING), reason=f"Python packages not installed: {', '.join(MISSING)}")


@pytest.fixture
def settings(tmp_path):
    """Variables of a call: this Python, this tree's recipes."""
    return {"BRISK_PYTHON": sys.executable, "BRISK_RECIPES": TREE / "recipes" / "systems", "OMP_NUM_THREADS": 1}


@pytest.fixture
def fake(tmp_path):
    """A folder of recipes with one that prints its words as JSON."""
    folder = tmp_path / "recipes" / "07-parrot"
    folder.mkdir(parents=True)
    (folder / "run.py").write_text("import json, sys\nprint(json.dumps(sys.argv[1:]))\nsys.exit(7)\n")
    return {"BRISK_PYTHON": sys.executable, "BRISK_RECIPES": folder.parent}


def test_options_and_exit_code_pass_through(brisk, fake):
    words = ["-o", "a folder", "--only", "x,y", "--seeds", 3, "--quick", "--force", "--json"]
    for number in ("7", "07", "07-parrot"):
        done = brisk("reproduce", number, *words, **fake)
        assert done.code == 7
        given = json.loads(done.out)
        assert given[0] == "--brisk" and pathlib.Path(given[1]).samefile(brisk.binary)
        wanted = ["--output-dir", "a folder", "--only", "x,y", "--seeds", "3", "--quick", "--force", "--json"]
        assert given[2:] == wanted


@pytest.mark.parametrize("system", ["8", "parrot", "", "0", "7-", "../x"])
def test_unknown_system_lists_those_there_are(brisk, fake, system):
    done = brisk("reproduce", system, "--json", **fake)
    assert done.code == 2
    assert "07-parrot" in done.error()["hint"]


def test_folders_and_programs_that_are_not_there(brisk, fake, tmp_path):
    done = brisk("reproduce", "7", **(fake | {"BRISK_RECIPES": tmp_path / "none"}))
    assert done.code == 4 and "BRISK_RECIPES" in done.err
    done = brisk("reproduce", "7", **(fake | {"BRISK_PYTHON": tmp_path / "python"}))
    assert done.code == 4 and "BRISK_PYTHON" in done.err


def test_missing_packages_are_named(brisk, settings, tmp_path):
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    done = brisk("reproduce", "27", "--json", PYTHONPATH="", **(settings | {"BRISK_PYTHON": bare}))
    assert done.code == 4
    assert "torch" in done.error()["got"] and "pip install" in done.error()["hint"]


@needs_packages
@pytest.mark.parametrize("words", [["--only", "nothing"], ["--seeds", "9", "--quick"]])
def test_wrong_options(brisk, settings, words):
    done = brisk("reproduce", "27", *words, "--json", **settings)
    assert done.code == 2 and done.error()["where"] == words[0]


@needs_packages
def test_report_needs_a_folder(brisk, settings, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = brisk("reproduce", "27", "--quick", "-o", tmp_path / "file" / "out", "--json", **settings)
    assert done.code == 4 and done.error()["where"] == "-o"


@needs_packages
def test_data_that_is_not_there_is_told_first(brisk, settings, tmp_path):
    done = brisk("reproduce", "27", "-o", tmp_path / "out", "--json", **settings)
    assert done.code == 4 and "fetch_" in done.error()["hint"]
    assert not (tmp_path / "out").exists()


@needs_packages
def test_quick_run_from_end_to_end(brisk, settings, tmp_path):
    out = tmp_path / "out"
    brisk.ok("reproduce", "27", "--quick", "-o", out, timeout=600, **settings)
    report = json.loads((out / "report.json").read_text())
    judged = [entry for entry in report["gates"] if entry["passed"] is not None]
    assert judged and all(entry["passed"] for entry in judged)
    names = {"report.md", "report.json", "facts_rare.png", "facts_flatness.png"}
    assert {path.name for path in out.iterdir()} == names
    # A report that is there is kept; with --force the finished stages are found, and give the same.
    again = brisk("reproduce", "27", "--quick", "-o", out, **settings)
    assert again.code == 4 and "--force" in again.err
    forced = brisk.ok("reproduce", "27", "--quick", "-o", out, "--force", "--json", timeout=60, **settings)
    assert json.loads(forced.out) == report
    assert "running" not in forced.err


@needs_packages
def test_interrupt_leaves_nothing_half_written(brisk, settings, tmp_path):
    child = brisk.start("reproduce", "27", "--quick", "-o", tmp_path / "out", **settings)
    kept = brisk.home / "cache" / "brisk" / "reproduce" / "27"
    deadline = time.monotonic() + 120
    while not list(kept.glob(".miniature-*")):
        assert child.poll() is None and time.monotonic() < deadline, child.stderr.read()
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=30) == 130
    assert list(kept.iterdir()) == [] and not (tmp_path / "out").exists()
