"""brisk eval: figures of multiple choice, their intervals, and what is refused."""

import json

import pytest

QUESTIONS = [
    ("Q: What is the capital of France?\nA:", [" Paris"], [" Rome", " Berlin"]),
    ("Q: What color is the sky on a clear day?\nA:", [" Blue", " The sky is blue."], [" Green", " Brown"]),
    ("Q: How many legs does a dog have?\nA:", [" Four", " 4"], [" Nine"]),
    ("Q: What do cows drink?\nA:", [" Water"], [" Petrol", " Paint"]),
]


def write(path, questions=QUESTIONS):
    keys = ("prompt", "correct", "incorrect")
    path.write_text("".join(json.dumps(dict(zip(keys, question))) + "\n" for question in questions))
    return path


@pytest.fixture
def task(tmp_path):
    return write(tmp_path / "items.jsonl")


def evaluate(brisk, model, task, *words):
    return brisk.ok("eval", model, "--task", task, "--json", *words).json()


def test_the_json_object(brisk, model, task):
    result = evaluate(brisk, model, task)
    assert (result["task"], result["decode"], result["items"], result["answers"]) == ("items.jsonl", "plain", 4, 13)
    for name in ("mc1", "mc2"):
        low, high = result[name + "_interval"]
        assert 0 <= low <= result[name] <= high <= 1
    assert result["seconds"] > 0 and result["tokens"] >= 13 and "unfiltered" not in result
    again = evaluate(brisk, model, task, "-t", "1")
    assert {**again, "seconds": 0} == {**result, "seconds": 0}


def test_figures_follow_from_the_scores_of_each_item(brisk, model, task, tmp_path):
    out = tmp_path / "per_item.jsonl"
    result = evaluate(brisk, model, task, "-o", out)
    items = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(items) == 4
    for item in items:
        right = [a["logprob"] for a in item["answers"] if a["correct"]]
        wrong = [a["logprob"] for a in item["answers"] if not a["correct"]]
        assert item["mc1"] == float(max(right) > max(wrong))
    assert result["mc1"] == pytest.approx(sum(item["mc1"] for item in items) / 4)
    assert result["mc2"] == pytest.approx(sum(item["mc2"] for item in items) / 4)


def test_the_table_and_the_warning(brisk, model, task):
    result = brisk.ok("eval", model, "--task", task)
    assert "MC1 %" in result.out and "items.jsonl: 4 items, 13 answers" in result.out
    assert "only 4 items" in result.err


def test_normalisation_changes_the_figures_only(brisk, model, task):
    plain, token = evaluate(brisk, model, task), evaluate(brisk, model, task, "--mc-norm", "token")
    assert token["mc_norm"] == "token" and token["mc2"] != plain["mc2"] and token["tokens"] == plain["tokens"]


def test_contrasting_methods_report_both_ways(brisk, model, task):
    result = evaluate(brisk, model, task, "--decode", "contrastive", "--amateur", model)
    assert result["decode"] == "contrastive" and set(result["unfiltered"]) >= {"mc1", "mc2", "mc1_interval"}
    # A model contrasted with itself says nothing of any token.
    assert result["unfiltered"]["mc1"] == 0


@pytest.mark.parametrize(
    "question, named",
    [
        ((5, ["a"], ["b"]), "prompt"),
        (("", ["a"], ["b"]), "prompt"),
        (("Q", [], ["b"]), "correct"),
        (("Q", ["a"], []), "incorrect"),
        (("Q", ["a", ""], ["b"]), "correct[1]"),
        (("Q", ["a"], ["a"]), "twice"),
        (("Q", ["a"], [[99999999]]), "incorrect[0]"),
    ],
)
def test_bad_questions_name_line_and_key(brisk, model, tmp_path, question, named):
    error = brisk("eval", model, "--json", "--task", write(tmp_path / "bad.jsonl", [*QUESTIONS, question])).error()
    assert error["code"] == 3 and error["where"].startswith("bad.jsonl, line 5") and named in json.dumps(error)


@pytest.mark.parametrize(
    "words, code, named",
    [
        ([], 2, "--task"),
        (["--task", "no-such-file"], 4, "no-such-file"),
        (["--task", "TASK", "--mc-norm", "word"], 2, "none, token"),
        (["--task", "TASK", "--decode", "plane"], 2, "plain"),
        (["--task", "TASK", "--decode", "prunecd", "--prunecd", "no-such-file"], 4, "no-such-file"),
        (["--task", "TASK", "--seed", "-1"], 2, "--seed"),
    ],
)
def test_usage(brisk, model, task, words, code, named):
    result = brisk("eval", model, *[str(task) if word == "TASK" else word for word in words])
    assert result.code == code and named in result.err


def test_scores_that_are_no_probabilities_are_refused(brisk, model, task, profile_of):
    words = ["--decode", "prunecd", "--prunecd", profile_of([3]), "--cd-approx-head"]
    result = brisk("eval", model, "--task", task, *words)
    assert result.code == 2 and "--cd-approx-head" in result.err
