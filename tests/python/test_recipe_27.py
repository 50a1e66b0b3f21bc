"""The pieces of the recipe of system 27: its world, its files, its questions, its cache and its gates."""

import bz2
import collections
import csv
import importlib
import json
import os
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

TREE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def recipe_path():
    """The recipe's files import each other as programs beside run.py do."""
    folders = [str(TREE / "recipes" / "systems" / "27-prunecd"), str(TREE / "tests" / "parity")]
    sys.path[:0] = folders
    yield
    for folder in folders:
        sys.path.remove(folder)


def load(name):
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def recipe(recipe_path):
    return load("run").read_recipe(quick=True)


@pytest.fixture(scope="module")
def world(recipe):
    return load("facts").make_world(recipe["facts"], seed=3)


@pytest.fixture(scope="module")
def small_llama(recipe, world):
    torch.manual_seed(5)
    return load("train").Llama(recipe["model"], world.vocabulary_size).start()


# --- the world


def test_world_is_the_same_for_a_seed_and_another_for_another(recipe, world):
    facts = load("facts")
    again, other = (facts.make_world(recipe["facts"], seed) for seed in (3, 4))
    assert (again.words, again.facts) == (world.words, world.facts)
    assert other.facts != world.facts


def test_corpus_states_each_fact_as_often_as_it_says(world):
    stated = collections.Counter(tuple(sentence) for sentence in load("facts").make_corpus(world, seed=3))
    for fact in world.facts:
        wordings = range(len(load("facts").RELATIONS[fact.relation]))
        assert sum(stated[tuple(world.sentence(fact, wording))] for wording in wordings) == fact.exposure


def test_popular_objects_are_more_frequent(recipe):
    facts = load("facts")
    settings = recipe["facts"] | {"subjects": 2000, "first_names": 100, "last_names": 100, "objects": 100}
    golds = np.array([fact.gold for fact in facts.make_world(settings, 0).facts])
    expected = len(golds) / sum(1 / rank for rank in range(1, 101))
    assert abs((golds == 0).sum() - expected) < 5 * expected**0.5
    assert (golds == 0).sum() > 1.5 * (golds == 1).sum() > 1.5 * (golds == 5).sum()


def test_questions_offer_the_gold_object_and_the_most_popular_others(world):
    facts = load("facts")
    pairs = facts.make_items(world, 3, calibration=False, count=60)
    assert len(pairs) == 60
    for fact, item in pairs:
        answers = [answer for (answer,) in item["correct"] + item["incorrect"]]
        assert answers[0] == world.object_id(fact, fact.gold)
        ranks = [world.objects[fact.relation].index(world.words[a - facts.BYTES]) for a in answers[1:]]
        assert ranks == [rank for rank in range(4) if rank != fact.gold][:3]
        assert [*item["prompt"], answers[0]] in [world.sentence(fact, wording) for wording in range(3)]


def test_calibration_and_test_ask_about_different_subjects(world):
    sets = load("miniature").question_sets(world, seed=3)
    subjects = {name: {fact.subject for fact, _ in pairs} for name, pairs in sets.items()}
    assert subjects["calibration"] and not subjects["calibration"] & subjects["test"]
    assert {id(fact) for fact, _ in sets["rare"]} < {id(fact) for fact, _ in sets["test"]}
    assert max(fact.exposure for fact, _ in sets["rare"]) <= world.settings["rare"]


# --- models


def test_exported_model_is_the_trained_one(small_llama, world, tmp_path):
    """transformers, on what gguf reads, gives the trainer's logits."""
    load("export").export(small_llama, world, tmp_path / "m.gguf", "test")
    network = load("reference").ModelFile(tmp_path / "m.gguf").network()
    tokens = torch.tensor([sentence[:6] for sentence in load("facts").make_corpus(world, 3)[:20]])
    with torch.no_grad():
        expected, got = small_llama(tokens), network(tokens).logits
    error = (expected - got).abs().max().item()
    print(f"error {error:.2e}, bound 1e-4, greatest logit {expected.abs().max():.2f}")
    assert error < 1e-4


def test_vocabulary_in_the_file(small_llama, world, tmp_path):
    load("export").export(small_llama, world, tmp_path / "m.gguf", "test")
    tokens = gguf.GGUFReader(tmp_path / "m.gguf").fields["tokenizer.ggml.tokens"].contents()
    assert len(tokens) == len(set(tokens)) == world.vocabulary_size
    byte_tokens = [token for token in tokens[:256]]
    assert byte_tokens[ord("A")] == "A" and byte_tokens[ord(" ")] == "\u0120" and byte_tokens[10] == "\u010a"
    assert tokens[world.ids["the"]] == "\u0120the"


def test_training_learns_and_repeats(recipe, world):
    train, facts = load("train"), load("facts")
    corpus = facts.make_corpus(world, 3)

    def fit():
        return train.train(
            recipe["model"], world.vocabulary_size, corpus, recipe["train"], 3, lambda model: 0.0, 2, None, str
        )

    (first, history), (second, _) = fit(), fit()
    assert history[-1]["loss"] < 0.7 * np.log(world.vocabulary_size)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_companion_keeps_embedding_and_tokenizer_and_learns(recipe, small_llama, world, tmp_path):
    source, made = tmp_path / "source.gguf", tmp_path / "made.gguf"
    load("export").export(small_llama, world, source, "test")
    tokens = [token for sentence in load("facts").make_corpus(world, 3) for token in sentence]
    settings = {"blocks": [0, 5], "steps": 60, "rows": 8, "row_tokens": 16, "learning_rate": 3e-3, "warmup_steps": 5}
    figures = load("companion").make(source, tokens, settings, made, log=str)
    assert figures["last_loss"] < figures["first_loss"]
    before, after = gguf.GGUFReader(source), gguf.GGUFReader(made)
    assert after.fields["llama.block_count"].contents() == 2
    for key in ("tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.pre", "llama.rope.freq_base"):
        assert after.fields[key].contents() == before.fields[key].contents()
    weights = [{t.name: t.data for t in reader.tensors} for reader in (before, after)]
    assert np.array_equal(weights[0]["token_embd.weight"], weights[1]["token_embd.weight"])
    assert {name for name in weights[1] if name.startswith("blk.")} == {
        name for name in weights[0] if name.startswith(("blk.0.", "blk.1."))
    }


# --- real questions


@pytest.fixture
def truthfulqa_file(tmp_path):
    examples = [
        {
            "Question": f"Question {i}?",
            "True answers": ["Right.", f"Best {i}. "],
            "False answers": ["Wrong.", "Bad."],
            "Best answer": f"Best {i}. ",
        }
        for i in range(200)
    ]
    path = tmp_path / "truthfulqa.json"
    path.write_text(json.dumps({"prefix": "Q: Before?\nA: After.\n\n\n", "examples": examples}))
    return path


def test_truthfulqa_items(truthfulqa_file):
    settings = {"few_shot": True, "calibration_share": 0.5}
    sets, prefix = load("questions").truthfulqa(truthfulqa_file, settings)
    assert prefix == "Q: Before?\nA: After.\n\n"
    assert 70 < len(sets["calibration"]) < 130
    assert len(sets["mc1"]) == len(sets["mc2"]) == 200 - len(sets["calibration"])
    assert not {item["prompt"] for item in sets["calibration"]} & {item["prompt"] for item in sets["mc1"]}
    number = sets["mc1"][0]["prompt"].split()[-2].rstrip("?")
    assert sets["mc1"][0] == {
        "prompt": f"{prefix}Q: Question {number}?\nA:",
        "correct": [f" Best {number}."],
        "incorrect": [" Wrong.", " Bad."],
    }
    assert sets["mc2"][0]["correct"] == [" Right.", f" Best {number}."]


def test_freshqa_takes_wrong_answers_of_the_same_kind(tmp_path):
    heading = ["id", "question", "false_premise", *(f"answer_{i}" for i in range(10))]
    rows = [["0", "When did it not happen?", "TRUE", "Never.", "It did not."]]
    rows += [[str(i), "When did that happen?", "FALSE", str(1900 + i)] for i in range(1, 6)]
    rows += [["6", "Who was it?", "FALSE", "Somebody"], ["7", "Is it so?", "TRUE", "No."]]
    path = tmp_path / "freshqa.csv"
    with open(path, "w", newline="") as file:
        filled = [row + [""] * (len(heading) - len(row)) for row in [["A notice"], heading, *rows]]
        csv.writer(file).writerows(filled)
    (item,) = load("questions").freshqa(path, {"freshqa_wrong": 3}, "")
    assert item["prompt"] == "Q: When did it not happen?\nA:"
    assert item["correct"] == [" Never.", " It did not."]
    assert len(set(item["incorrect"])) == 3
    assert set(item["incorrect"]) <= {f" {year}" for year in range(1901, 1906)}


def test_wikipedia_text_is_plain(tmp_path):
    sentence = "The '''town''' of [[A (place)|Alpha]] lies on the [[Beta]].<ref name=x /> "
    table, short = "{| class=x || " + sentence * 7, "Too short."
    page = f"<text>{(sentence * 7).replace('<', '&lt;')}\n{table.replace('<', '&lt;')}\n{short}</text>"
    path = tmp_path / "wiki.bz2"
    path.write_bytes(bz2.compress(f'<mediawiki xmlns="x"><page>{page}</page></mediawiki>'.encode()))
    (paragraph,) = load("questions").wikipedia_paragraphs(path)
    assert paragraph == " ".join(["The town of Alpha lies on the Beta."] * 7)


# --- stages, methods, gates


def test_cache_keeps_what_is_whole(tmp_path):
    cache, filled = load("cache").Cache(tmp_path / "c"), []

    def fill(folder):
        filled.append(folder)
        (folder / "file").write_text(str(len(filled)))

    def stop(folder):
        fill(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.stage("part", {"a": 1}, stop, log=str)
    assert list((tmp_path / "c").iterdir()) == []
    first = cache.stage("part", {"a": 1}, fill, log=str)
    assert cache.stage("part", {"a": 1}, stop, log=str) == first
    assert (first / "file").read_text() == "2"
    other = cache.stage("part", {"a": 2}, fill, log=str)
    assert other != first and (other / "file").read_text() == "3"


def test_cache_clears_what_killed_runs_left(tmp_path):
    dead, own, alive = (tmp_path / f".part-1.{owner}" for owner in (999999999, os.getpid(), 1))
    for folder in (dead, own, alive):
        folder.mkdir()
    load("cache").Cache(tmp_path)
    assert list(tmp_path.iterdir()) == [alive]


def test_controls_are_of_the_same_size_and_other_layers():
    methods = load("methods")
    profile = {"fingerprint": "f", "layers": 16, "pruned": [5, 8]}
    sets = methods.control_sets(profile, 3, seed=0)
    assert list(sets) == ["random 1", "random 2", "random 3", "last layers"]
    assert sets.pop("last layers") == [14, 15]
    assert len({tuple(layers) for layers in sets.values()} | {(5, 8)}) == 4
    assert all(len(layers) == 2 and set(layers) <= set(range(1, 14)) for layers in sets.values())
    assert methods.control_sets(profile, 3, seed=0) == sets | {"last layers": [14, 15]}


def test_written_profile_holds_no_figures_of_other_layers(tmp_path):
    profile = {"fingerprint": "f", "layers": 8, "pruned": [3], "mode": "ratio", "drop": 0.2, "flatness": []}
    path = load("methods").write_profile(tmp_path, "some layers", profile, [5, 2])
    assert json.loads(path.read_text()) == {
        "fingerprint": "f",
        "layers": 8,
        "pruned": [2, 5],
        "mode": "ratio",
    }


def seed_result(plain, pruned, control, entropies):
    def figures(value):
        return {part: {"mc1": value, "mc2": value} for part in ("all", "rare")}

    rows = [
        {"amateur": name, "entropy": entropy, "top10_overlap": 1 / entropy, "spread": 1.0, "jsd": entropy}
        for name, entropy in entropies.items()
    ]
    return {
        "methods": {
            "plain": figures(plain),
            "no layers": figures(plain),
            "PruneCD": figures(pruned),
            "random 1": figures(control),
            "random 1, extrapolate": figures(1.0),
        },
        "profiles": {"PruneCD": {"layers": 8, "flatness": rows}},
        "history": {"trainer_mc1": {"test": plain, "rare": plain}},
    }


EXITS = {"exit 0": 4.0, "exit 1": 9.0, "exit 2": 3.0, "exit 4": 2.5, "exit 6": 2.0, "pruned": 1.0}


@pytest.mark.parametrize(
    "values, failed",
    [
        ((0.5, 0.6, 0.55, EXITS), 0),
        ((0.5, 0.5, 0.5, EXITS), 1),  # not above plain
        ((0.5, 0.6, 0.61, EXITS), 1),  # below the control
        ((0.5, 0.6, 0.55, EXITS | {"pruned": 3.5}), 2),  # flatter than the upper exit, not than the lower
        ((0.5, 0.6, 0.55, EXITS | {"pruned": 5.0}), 4),
    ],
)
def test_gates_fail_when_the_figures_do(recipe, values, failed):
    gates = load("gates")
    judged = gates.judge([seed_result(*values)], recipe, quick=False)
    assert [entry["passed"] for entry in judged].count(False) == failed, judged
    assert gates.dola_exit(seed_result(*values)["profiles"]["PruneCD"]["flatness"], "low", 8)["amateur"] == "exit 0"
    quick = gates.judge([seed_result(*values)], recipe, quick=True)
    assert all(entry["passed"] is not False for entry in quick)


def test_gates_fail_when_the_engine_disagrees(recipe):
    result = seed_result(0.5, 0.6, 0.55, EXITS)
    result["history"]["trainer_mc1"]["test"] = 0.51
    result["methods"]["no layers"]["rare"]["mc2"] = 0.499
    judged = load("gates").judge([result], recipe, quick=True)
    assert [entry["passed"] for entry in judged[:2]] == [False, False]


# --- the whole, without the engine


class StandInEngine:
    """Answers as the binary does, with figures made from its options: method, layers and mode change them."""

    hash, version = "h", "brisk test"

    def __init__(self):
        self.calls = []

    def tokenize(self, model, path):
        return list(range(256, 330)) * 40

    def profile(self, model, items, neutral, output, options):
        self.calls.append(("profile", *options))
        layers = gguf.GGUFReader(model).fields["llama.block_count"].contents()
        keys = ("entropy", "spread", "max_minus_mean", "top10_overlap", "spearman50", "jsd")
        rows = [{"amateur": f"exit {i}"} | dict.fromkeys(keys, 2.0 - 0.1 * i) for i in range(layers)]
        rows.append({"amateur": "pruned"} | dict.fromkeys(keys, 1.9))
        found = {"fingerprint": "f", "layers": layers, "pruned": [1], "s0": 0.6, "drop": 0.1, "flatness": rows}
        output.write_text(json.dumps(found))
        return found

    def evaluate(self, model, items, options):
        self.calls.append(("eval", *options))
        count = len(load("cache").read_jsonl(items))
        pruned = json.loads(Path(options[3]).read_text())["pruned"] if "--prunecd" in options else []
        value = 0.25 + 0.5 * ("--prunecd" in options and pruned == [1])
        per_item = [{"mc1": value, "mc2": value, "mc3": value}] * count
        interval = [value - 0.1, value + 0.1]
        figures = {"mc1": value, "mc1_interval": interval, "mc2": value, "mc2_interval": interval, "items": count}
        if "--decode" in options:
            figures["unfiltered"] = figures | {"mc1": value - 0.25}
        return figures | {"per_item": per_item}


@pytest.fixture
def work(recipe, small_llama, world, truthfulqa_file, tmp_path, monkeypatch):
    """A run of all stages with little files in place of the real ones."""
    stages, source = load("stages"), tmp_path / "source.gguf"
    load("export").export(small_llama, world, source, "test")
    freshqa, wiki = tmp_path / "freshqa.csv", tmp_path / "wiki.bz2"
    rows = [f"{i},When?,{kind},Answer {i},,,,,,,,," for i, kind in enumerate(["TRUE"] + ["FALSE"] * 4)]
    heading = "id,question,false_premise," + ",".join(f"answer_{i}" for i in range(10))
    freshqa.write_text("\n".join([heading, *rows]))
    wiki.write_bytes(bz2.compress(f'<m xmlns="x"><text>{"Plain words. " * 30}</text></m>'.encode()))
    inputs = {"model": source, "truthfulqa": truthfulqa_file, "freshqa": freshqa, "wikipedia": wiki}
    monkeypatch.setattr(stages, "real_inputs", lambda recipe: inputs)
    companion = {"blocks": [0, 3], "steps": 2, "rows": 2, "row_tokens": 8, "training_characters": 100}
    settings = recipe | {"companion": recipe["companion"] | companion}
    return stages.Run(settings, StandInEngine(), load("cache").Cache(tmp_path / "cache"), str)


def test_stages_and_report(work, tmp_path, capsys):
    stages, report = load("stages"), load("report")

    def results():
        return {
            "quick": False,
            "seeds": [0],
            "version": "brisk test",
            "recipe": work.recipe,
            "facts": [stages.facts(work, 0)],
            "real": stages.real(work),
            "overhead": {"rows": {"prunecd": {"ms_per_token": 36.27, "of_plain": 1.145}}},
        }

    first = results()
    said = []
    code = report.finish(first, tmp_path / "out", True, said.append)
    names = {"report.md", "report.json", "facts_rare.png", "facts_flatness.png", "real.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "out" / "report.json").read_text())
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| PruneCD | 75.0 | 75.0 | 75.0 | 75.0 | 50.0 |" in text
    assert "| plain | 25.0 (15.0 to 35.0) |" in text
    assert "| PruneCD | 50.0 (65.0 to 85.0) |" in text  # without the filter
    assert text.count("| plain | 25.0 (15.0 to 35.0) |") == 1
    assert "| prunecd | 36.3 | 1.15 |" in text
    # The stand-in's plain figures are not the trainer's: that gate alone must fail, and fail the run.
    failed = [entry["name"] for entry in first["gates"] if not entry["passed"]]
    assert "the engine's MC1 is the trainer's own" in failed
    assert code == 1 and any("gate failed" in line for line in said)
    # A second run finds everything.
    calls = len(work.engine.calls)
    again = results()
    assert len(work.engine.calls) == calls
    assert again["facts"] == first["facts"] and again["real"] == first["real"]


def test_methods_reach_the_engine(work):
    load("stages").real(work)
    used = {tuple(call) for call in work.engine.calls}
    assert any("dola" in call and "low" in call for call in used)
    assert any("contrastive" in call and "--amateur" in call for call in used)
    assert any("prunecd" in call and "extrapolate" in call for call in used)
    norms = {call[call.index("--mc-norm") + 1] for call in used if call[0] == "eval"}
    assert norms == {"none", "token"}


def test_gates_fail_when_the_search_found_nothing(recipe):
    without = {name: value for name, value in EXITS.items() if name != "pruned"}
    judged = load("gates").judge([seed_result(0.5, 0.6, 0.55, without)], recipe, quick=False)
    assert [entry["passed"] for entry in judged].count(False) == 4
