"""show --graph and --plan: what Brisk makes of a model file."""

import re

import pytest


def test_graph_is_text_of_the_model(brisk, model):
    text = brisk.ok("show", model, "--graph").out
    lines = text.splitlines()
    assert lines[0] == "brisk graph 1" and lines[1] == "symbols tokens, outputs"
    weights = [line for line in lines if line.startswith("weight @")]
    shown = brisk.ok("show", model, "--json").json()
    assert 0 < len(weights) <= len(shown["tensors"])
    assert len([line for line in lines if line.startswith("segment ")]) == shown["architecture"]["layers"] + 2
    assert any(re.fullmatch(r"segment layer\.0 stream=%\d+", line) for line in lines)
    assert re.search(r"%\d+ = embed\(%0, @token_embd\.weight\) : f32\[tokens, \d+\]  # embedding", text)
    assert lines[-1].startswith("output %")
    as_json = brisk.ok("show", model, "--graph", "--json").json()["graph"]
    assert as_json["text"] == text
    assert as_json["nodes"] == len([line for line in lines if line.startswith("  %")])


def test_passes_off_shows_the_graph_as_built(brisk, model):
    raw = brisk.ok("show", model, "--graph", "--passes-off", "all").out
    assert "quantize_rows" not in raw and "linear(" in raw
    exact = brisk.ok("show", model, "--graph", "--exact").out
    assert "quantize_rows" not in exact


def test_plan_adds_up(brisk, model):
    shown = brisk.ok("show", model, "--plan", "--json").json()["plan"]
    calls = shown["calls"]
    assert shown["packed_bytes"] >= sum(call["packed_bytes"] for call in calls) > 0
    assert shown["arena_bytes"] >= max(out["offset"] + out["bytes"] for call in calls for out in call["outputs"])
    for call in calls:
        for out in call["outputs"]:
            assert (out["type"] == "state") == (out["bytes"] == 0)
    assert {call["op"] for call in calls} >= {"embed", "linear", "attention", "kv_store"}
    assert all(call["kernel"] for call in calls)
    assert sum(region["calls"] for region in shown["regions"]) == len(calls) and len(shown["regions"]) == 1
    passes = {entry["name"]: entry for entry in shown["passes"]}
    assert passes["dead_code"]["off"] is False and passes["dead_code"]["ms"] >= 0
    for entry in passes.values():
        assert entry["nodes_after"] == entry["nodes_before"] + entry["added"] - entry["removed"]
    assert shown["most_tokens"] == 512


def test_a_smaller_step_needs_less(brisk, model):
    large = brisk.ok("show", model, "--plan", "--json").json()["plan"]
    small = brisk.ok("show", model, "--plan", "--json", "-b", "8").json()["plan"]
    assert small["most_tokens"] == 8 and small["most_outputs"] == 8
    assert small["arena_bytes"] < large["arena_bytes"]
    assert small["packed_bytes"] == large["packed_bytes"]


def test_plan_for_people(brisk, model):
    text = brisk.ok("show", model, "--plan", "--passes-off", "dead_code,share_common").out
    assert "layer.0.attn.q" in text and "SEGMENT" in text and "PACKED" in text
    assert re.search(r"^dead_code +off", text, re.MULTILINE)
    assert re.search(r"^quantize_activations +[\d.]+ ms", text, re.MULTILINE)
    assert "in one arena" in text


@pytest.mark.parametrize("words", [["--exact"], ["--passes-off", "all"], ["-b", "4"]])
def test_options_of_the_plan_need_it(brisk, model, words):
    result = brisk("show", model, "--json", *words)
    assert result.code == 2 and "--plan" in result.error()["expected"]


def test_an_unknown_pass_is_named(brisk, model):
    result = brisk("show", model, "--plan", "--passes-off", "dead_cod", "--json")
    assert result.code == 2
    assert "dead_code" in result.error()["expected"] and result.error()["got"] == "'dead_cod'"
