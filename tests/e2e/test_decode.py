"""Decoding methods and KV policies from the command line: answers, notices, and what is refused."""

import json

import pytest

QUESTION = "Tell me: what is the capital of France?"


def answer(brisk, model, *words):
    return brisk.ok("run", model, "--json", "--temp", "0", "-n", "16", "-p", QUESTION, *words).json()


def test_alpha_one_is_greedy_decoding(brisk, model, profile_of):
    plain = answer(brisk, model)["tokens"]
    for words in (
        ["--decode", "prunecd", "--prunecd", profile_of([10, 12])],
        ["--decode", "dola", "--dola-layers", "low"],
        ["--decode", "contrastive", "--amateur", model],
    ):
        assert answer(brisk, model, *words, "--cd-alpha", "1")["tokens"] == plain


def test_lambda_zero_is_greedy_decoding(brisk, model, profile_of):
    words = ["--decode", "prunecd", "--prunecd", profile_of([10, 12]), "--cd-mode", "extrapolate"]
    assert answer(brisk, model, *words, "--cd-lambda", "0")["tokens"] == answer(brisk, model)["tokens"]


def test_the_approximate_head_gives_the_same_greedy_answer(brisk, model, profile_of):
    words = ["--decode", "prunecd", "--prunecd", profile_of([10, 12])]
    exact = answer(brisk, model, *words)["tokens"]
    assert answer(brisk, model, *words, "--cd-approx-head")["tokens"] == exact
    refused = brisk("run", model, "-p", "x", *words, "--cd-approx-head", "--temp", "1")
    assert refused.code == 2 and "--temp 0" in refused.err


def test_notices_go_to_standard_error(brisk, model, profile_of):
    for pruned, notice in ([], "decoding is plain"), ([0, 5], "the first"):
        words = ["run", model, "-p", "Hi", "-n", "2", "--decode", "prunecd", "--prunecd", profile_of(pruned)]
        result = brisk.ok(*words)
        assert result.err.count("note: prunecd") == 1 and notice in result.err and "note" not in result.out


def test_the_chat_takes_them_too(brisk, model, profile_of):
    words = ["--decode", "prunecd", "--prunecd", profile_of([10])]
    result = brisk.ok("chat", model, "--temp", "0", "-n", "8", *words, stdin="Hello\n")
    assert result.out.strip()


def test_a_streaming_policy_goes_on_beyond_its_budget(brisk, model):
    words = ["--kv-policy", "streaming", "--kv-budget", "32", "--kv-block", "8"]
    assert len(answer(brisk, model, *words, "--ignore-eos", "-n", "64")["tokens"]) == 64


@pytest.mark.parametrize(
    "words, named",
    [
        (["--prunecd", "p.json"], "--decode prunecd"),
        (["--amateur", "x.gguf"], "--decode contrastive"),
        (["--dola-layers", "low"], "--decode dola"),
        (["--cd-alpha", "0.1"], "--decode"),
        (["--amateur-prompt", "shared", "--decode", "dola"], "--decode prunecd"),
        (["--cd-approx-head", "--decode", "dola"], "--decode contrastive or prunecd"),
        (["--decode", "prunedc"], "prunecd"),
        (["--cd-alpha", "1.5", "--decode", "dola"], "--cd-alpha"),
        (["--cd-lambda", "-1", "--decode", "prunecd"], "--cd-lambda"),
        (["--cd-mode", "sum", "--decode", "prunecd"], "ratio, extrapolate"),
        (["--kv-budget", "64"], "--kv-policy"),
        (["--kv-policy", "fll"], "full"),
    ],
)
def test_what_does_not_fit_together_is_refused_before_loading(brisk, words, named):
    result = brisk("run", "no-such-model.gguf", "-p", "x", *words)
    assert result.code == 2 and named in result.err, result.err


@pytest.mark.parametrize(
    "words, named",
    [
        (["--decode", "prunecd"], "a profile"),
        (["--decode", "contrastive"], "amateur"),
        (["--decode", "dola", "--dola-layers", "99"], "0 to "),
        (["--kv-policy", "streaming"], "budget"),
    ],
)
def test_what_the_model_cannot_do_is_refused(brisk, model, words, named):
    result = brisk("run", model, "-p", "x", *words)
    assert result.code == 2 and named in result.err, result.err


def test_two_policies_that_own_the_stored_state_are_named(brisk, model, profile_of):
    words = ["--kv-policy", "streaming", "--kv-budget", "64", "--decode", "prunecd", "--prunecd", profile_of([9])]
    result = brisk("run", model, "-p", "x", *words)
    assert result.code == 2 and "streaming" in result.err and "prunecd" in result.err, result.err


@pytest.mark.parametrize(
    "change, named",
    [
        ({"fingerprint": "0" * 32}, "fingerprint"),
        ({"layers": 31}, "layers"),
        ({"pruned": [99]}, "pruned"),
        ({"pruned": list(range(30))}, "pruned"),
        ({"pruned": [3, 3]}, "pruned"),
        ({"alpha": 0}, "alpha"),
        ({"mode": "sum"}, "mode"),
    ],
)
def test_profiles_that_do_not_belong_are_refused(brisk, model, is_built_in, profile_of, change, named):
    path = profile_of([3])
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    result = brisk("run", model, "-p", "x", "--decode", "prunecd", "--prunecd", path)
    assert result.code in (2, 3) and named in result.err, result.err
