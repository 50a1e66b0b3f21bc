"""model.score and decoding methods in Python: against the logits, one at a time and together."""

import json

import brisk
import numpy as np
import pytest


@pytest.fixture(scope="module")
def model(model_path):
    return brisk.load(str(model_path), ctx=512)


def by_logits(model, prompt, continuation):
    tokens = prompt + continuation
    logits = model.logits(tokens).astype(np.float64)
    logprobs = logits - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True)) - logits.max(
        -1, keepdims=True
    )
    first = max(len(prompt), 1)
    return [logprobs[i - 1, tokens[i]] for i in range(first, len(tokens))]


def test_scores_are_those_of_the_logits(model):
    prompt = model.tokenize("The capital of France is")
    continuations = [model.tokenize(text) for text in (" Paris", " Rome, I believe", " a city")]
    for logprobs, continuation in zip(model.score(prompt, continuations), continuations, strict=True):
        assert logprobs == pytest.approx(by_logits(model, prompt, continuation), abs=1e-5)


def test_text_is_cut_behind_the_prompt(model):
    prompt, answer = "Q: What do cows drink?\nA:", " Water"
    tokens = model.tokenize(prompt + answer)[len(model.tokenize(prompt)) :]
    assert model.score(prompt, [answer]) == model.score(model.tokenize(prompt), [tokens])


def test_a_batch_is_its_items(model):
    items = [("One, two,", [" three", " four"]), ([1, 2, 3], [[4, 5]]), ("One, two, three,", [" four"])]
    assert model.score_batch(items) == [model.score(*item) for item in items]
    assert model.score_batch([]) == []


def test_decoding_methods(model):
    prompt = "The capital of France is"
    plain = model.generate(prompt, max_tokens=8, temperature=0).tokens
    same = {"method": "dola", "layers": "low", "alpha": 1.0}
    assert model.generate(prompt, max_tokens=8, temperature=0, decode=same).tokens == plain
    assert model.generate(prompt, max_tokens=8, temperature=0, decode="plain").tokens == plain
    contrasted = model.score(prompt, [" Paris"], decode={"method": "contrastive", "amateur": model})
    assert len(contrasted[0]) == 1
    # Contrasted with itself every plausible token is as good as any other; a single one is certain.
    assert contrasted[0][0] <= 0


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (lambda model: model.score("x", [[10**6]]), brisk.BadInputError),
        (lambda model: model.score("x", [""]), brisk.BadInputError),
        (lambda model: model.score("word " * 600, ["x"]), brisk.BadInputError),
        (lambda model: model.score("x", ["y"], decode="plane"), brisk.UsageError),
        (lambda model: model.score("x", ["y"], decode={"methd": "dola"}), brisk.UsageError),
        (lambda model: model.score("x", ["y"], decode={"method": "dola", "alpha": "x"}), brisk.UsageError),
        (lambda model: model.score("x", ["y"], decode={"method": "dola", "mode": "sum"}), brisk.UsageError),
        (lambda model: model.generate("x", decode={"method": "prunecd"}), brisk.UsageError),
        (lambda model: model.generate("x", decode={"method": "prunecd", "profile": "none"}), brisk.EnvironmentFailure),
    ],
)
def test_errors(model, work, error):
    with pytest.raises(error):
        work(model)


def test_a_profile_of_another_model(model, tmp_path):
    profile = tmp_path / "prunecd.json"
    profile.write_text(json.dumps({"fingerprint": "0" * 32, "layers": 30, "pruned": [3]}))
    with pytest.raises(brisk.BadInputError, match="fingerprint"):
        model.generate("x", decode={"method": "prunecd", "profile": str(profile)})
