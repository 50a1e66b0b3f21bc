"""brisk profile layers: the search on a real model, its file, and what is refused."""

import json
import signal
import time

import pytest

QUESTIONS = [
    {"prompt": "Q: What is the capital of France?\nA:", "correct": [" Paris"], "incorrect": [" Rome", " Berlin"]},
    {"prompt": "Q: What do cows drink?\nA:", "correct": [" Water"], "incorrect": [" Petrol"]},
]
SHORT = {"text": "The market in the old town opens at six in the morning."}


@pytest.fixture
def files(tmp_path):
    items, text = tmp_path / "items.jsonl", tmp_path / "text.jsonl"
    items.write_text("".join(json.dumps(item) + "\n" for item in QUESTIONS))
    text.write_text(json.dumps(SHORT) + "\n")
    return ["--calibrate", items, "--text", text]


def profile(brisk, model, files, out, *words):
    return brisk.ok("profile", "layers", model, *files, "-o", out, *words)


def test_a_search_and_its_file(brisk, model, is_built_in, files, tmp_path):
    out = tmp_path / "prunecd.json"
    words = ["--kmax", "2", "--candidates", "2", "--tau", "3", "--tau-all", "9", "--report", "--json"]
    result = profile(brisk, model, files, out, *words)
    printed = result.json()
    assert printed == json.loads(out.read_text())
    assert "only 2 items" in result.err
    assert printed["layers"] == 30 and len(printed["pruned"]) <= 2
    singles = printed["search"]["singles"]
    assert [single["layers"] for single in singles] == [[layer] for layer in range(1, 27)]
    for single in singles:
        assert single["drop"] == pytest.approx(printed["s0"] - single["truth"])
    assert [row["amateur"] for row in printed["flatness"]][:30] == [f"exit {layer}" for layer in range(30)]
    # The same once more, on one thread: bit for bit.
    again = tmp_path / "again.json"
    profile(brisk, model, files, again, *words, "-t", "1")
    assert again.read_text() == out.read_text()
    if printed["pruned"]:
        answer = brisk.ok("run", model, "--decode", "prunecd", "--prunecd", out, "-p", "Hi", "-n", "4", "--temp", "0")
        assert answer.out.strip()


def test_nothing_found_is_said(brisk, model, files, tmp_path):
    out = tmp_path / "prunecd.json"
    result = profile(brisk, model, files, out, "--search", "window", "--kmax", "26", "--tau-all", "0")
    assert "no layer qualifies" in result.err and json.loads(out.read_text())["pruned"] == []
    run = brisk.ok("run", model, "--decode", "prunecd", "--prunecd", out, "-p", "Hi", "-n", "2")
    assert "decoding is plain" in run.err


@pytest.mark.parametrize(
    "words, code, named",
    [
        (["heads"], 2, "'heads'"),
        (["layers", "MODEL", "-o", "OUT"], 2, "--calibrate"),
        (["layers", "MODEL", "--calibrate", "ITEMS"], 2, "-o"),
        (["layers", "MODEL", "--calibrate", "no-such-file", "-o", "OUT"], 4, "no-such-file"),
        (["layers", "MODEL", "--calibrate", "ITEMS", "-o", "OUT", "--text", "no-such-file"], 4, "no-such-file"),
        (["layers", "MODEL", "--calibrate", "ITEMS", "-o", "ITEMS"], 4, "items.jsonl"),
        (["layers", "MODEL", "--calibrate", "ITEMS", "-o", "OUT", "--kmax", "0"], 2, "--kmax"),
        (["layers", "MODEL", "--calibrate", "ITEMS", "-o", "OUT", "--kmax", "30"], 2, "--kmax"),
        (["layers", "MODEL", "--calibrate", "ITEMS", "-o", "OUT", "--cd-alpha", "0"], 2, "alpha"),
        (["layers", "MODEL", "--calibrate", "ITEMS", "-o", "OUT", "--search", "all"], 2, "greedy"),
        (["layers", "MODEL", "--calibrate", "ITEMS", "-o", "OUT", "--method", "other"], 2, "prunecd"),
        (["layers", "MODEL", "--calibrate", "EMPTY", "-o", "OUT"], 3, "at least one item"),
        (["layers", "MODEL", "--calibrate", "ITEMS", "-o", "OUT", "--text", "EMPTY"], 3, "two tokens"),
    ],
)
def test_refusals(brisk, model, files, tmp_path, words, code, named):
    empty = tmp_path / "empty"
    empty.write_text("")
    names = {"MODEL": model, "OUT": tmp_path / "out.json", "ITEMS": files[1], "EMPTY": empty}
    result = brisk("profile", *[names.get(word, word) for word in words])
    assert result.code == code and named in result.err, result.err
    assert not (tmp_path / "out.json").exists()


def test_ctrl_c_ends_soon_and_leaves_no_file(brisk, model, files, tmp_path):
    process = brisk.start("profile", "layers", model, *files[:2], "-o", tmp_path / "out.json")
    time.sleep(2)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert process.returncode == 130 and time.monotonic() - start < 10
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == []
