"""brisk score: log-probabilities of given texts, their order and sums, and what is refused."""

import json
import math
import signal
import time

import pytest

ITEMS = [
    {"prompt": "The capital of France is", "continuations": [" Paris", " Rome, of course", [282, 4649]]},
    {"text": "The sky is blue."},
    {"prompt": [504, 6376, 314], "continuations": [" blue"]},
]


def lines(items):
    return "".join(json.dumps(item) + "\n" for item in items)


def scores(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def items_file(tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_text(lines(ITEMS))
    return path


def test_lines_come_in_order_with_tokens_and_sums(brisk, model, items_file):
    result = scores(brisk.ok("score", model, "-f", items_file).out)
    assert [line["index"] for line in result] == [0, 1, 2]
    assert [len(line["continuations"]) for line in result] == [3, 1, 1]
    for line in result:
        for one in line["continuations"]:
            assert math.isclose(sum(one["logprobs"]), one["sum"], rel_tol=1e-6)
            assert all(logprob <= 0 for logprob in one["logprobs"])
            assert "unfiltered" not in one
    paris, rome, ids = result[0]["continuations"]
    assert len(paris["logprobs"]) == len(paris["tokens"]) and paris["sum"] > rome["sum"]
    assert ids["tokens"] == [282, 4649]


def test_a_text_alone_is_scored_from_its_second_token(brisk, model, is_built_in, items_file):
    one = scores(brisk.ok("score", model, "-f", items_file).out)[1]["continuations"][0]
    assert len(one["logprobs"]) == len(one["tokens"]) - 1  # this model has no BOS in front


def test_batches_and_single_items_agree(brisk, model, items_file):
    together = scores(brisk.ok("score", model, "-f", items_file, "-t", "2").out)
    for index, item in enumerate(ITEMS):
        alone = scores(brisk.ok("score", model, "-f", "-", "-t", "1", stdin=lines([item])).out)
        assert alone[0]["continuations"] == together[index]["continuations"]


def test_output_file_is_what_would_be_printed(brisk, model, items_file, tmp_path):
    out = tmp_path / "out.jsonl"
    printed = brisk.ok("score", model, "-f", items_file).out
    assert brisk.ok("score", model, "-f", items_file, "-o", out).out == ""
    assert out.read_text() == printed
    refused = brisk("score", model, "-f", items_file, "-o", out)
    assert refused.code == 4 and "out.jsonl" in refused.err
    brisk.ok("score", model, "-f", items_file, "-o", out, "--force")


def test_contrasted_scores_have_an_unfiltered_form(brisk, model, items_file):
    words = ["score", model, "-f", items_file, "--decode", "dola", "--dola-layers", "high"]
    for line in scores(brisk.ok(*words).out):
        for one in line["continuations"]:
            assert len(one["unfiltered"]) == len(one["logprobs"])
            assert all(a == -1000 or a >= b for a, b in zip(one["logprobs"], one["unfiltered"]))


@pytest.mark.parametrize(
    "line, named",
    [
        ("{", "line 2"),
        ("[1]", "an object"),
        ('{"prompt": "x"}', "continuations"),
        ('{"prompt": "x", "continuations": []}', "continuations"),
        ('{"prompt": "x", "continuations": [""]}', "continuations[0]"),
        ('{"prompt": "x", "continuations": [[99999999]]}', "99999999"),
        ('{"prompt": [-1], "continuations": ["y"]}', "prompt"),
        ('{"text": "x", "prompt": "y"}', "both"),
        ('{"text": 5}', "text"),
        (json.dumps({"text": "word " * 3000}), "2048"),
        ('{"text": "\xff"}', "line 2"),
    ],
)
def test_bad_items_name_line_and_key(brisk, model, line, named):
    text = '{"text": "fine so far"}\n' + line + "\n"
    result = brisk("score", model, "-c", "2048", "-f", "-", "--json", stdin=text.encode("latin-1"))
    error = result.error()
    assert error["code"] == 3 and result.code == 3
    assert "line 2" in error["where"] and named in json.dumps(error)


def test_missing_things(brisk, model, tmp_path):
    assert brisk("score", model).code == 2
    assert brisk("score", model, "-f", tmp_path / "none").code == 4
    assert brisk("score", model, "-f", "-", stdin="").code == 3
    assert brisk("score", tmp_path / "none.gguf", "-f", "-", stdin=lines(ITEMS)).code == 4


def test_ctrl_c_ends_soon_and_leaves_no_file(brisk, model, tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text(lines([{"text": f"{i} " + "many words follow one another here " * 60} for i in range(200)]))
    process = brisk.start("score", model, "-f", items, "-o", tmp_path / "out.jsonl")
    time.sleep(2)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert process.returncode == 130 and time.monotonic() - start < 10
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == []
