"""show, list, doctor, template, tokenize, detokenize."""

import json

import pytest


def test_show_adds_up(brisk, model):
    shown = brisk.ok("show", model, "--json").json()
    assert shown["parameters"] == sum(kind["values"] for kind in shown["types"].values())
    assert sum(tensor["bytes"] for tensor in shown["tensors"]) == sum(
        kind["bytes"] for kind in shown["types"].values()
    )
    assert 0 < shown["bits_per_weight"] < 33
    assert shown["architecture"]["supported"] is True
    assert shown["metadata"]["general.architecture"] == shown["architecture"]["name"]
    shortened = shown["metadata"]["tokenizer.ggml.tokens"]
    assert shortened["count"] == shown["architecture"]["vocabulary"] and len(shortened["first"]) == 8
    whole = brisk.ok("show", model, "--json", "--all").json()["metadata"]["tokenizer.ggml.tokens"]
    assert len(whole) == shortened["count"] and whole[:8] == shortened["first"]


def test_show_for_people(brisk, model):
    text = brisk.ok("show", model).out
    assert "general.architecture" in text and "Bits/weight" in text
    assert len(text) < 20_000
    assert "token_embd.weight" in brisk.ok("show", model, "--tensors").out


def test_list(brisk):
    assert "fetch_model.sh" in brisk.ok("list").out
    assert brisk.ok("list", "--json").json()["models"] == []


def test_doctor(brisk):
    report = brisk.ok("doctor", "--json").json()
    assert report["threads"]["lanes"] >= 1 and report["threads"]["why"]
    assert report["memory"]["total"] > 0
    assert report["models"]["built_in"] is False
    assert report["kernels"]
    assert "Kernels" in brisk.ok("doctor").out


def test_kernels_follow_the_cap_and_say_why(brisk):
    best = brisk.ok("--kernels", "--json").json()["kernels"]
    assert best == brisk.ok("doctor", "--kernels", "--json").json()["kernels"]
    capped = brisk.ok("doctor", "--kernels", "--json", BRISK_ISA="ref").json()["kernels"]
    assert {row["isa"] for row in capped} == {"ref"}
    if best != capped:
        assert any("BRISK_ISA" in row["why_no_better"] for row in capped)
    assert {row["op"] for row in best} >= {"linear", "attention", "rope"}


TEXTS = [
    "Hello world",
    "",
    " ",
    "naïve café ☕ 你好 🙂",
    "a\tb\n\n c  d",
    "1234567 + 89",
    "<|im_start|>user",
    "'s 're don't",
]


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_and_back(brisk, model, text):
    ids = brisk.ok("tokenize", model, "--json", "--no-special", stdin=text).json()["ids"]
    listed = ",".join(map(str, ids))
    assert brisk.ok("detokenize", model, "--json", "--ids", listed).json()["text"] == text
    assert (
        brisk.ok("detokenize", model, "--json", "--ids-file", "-", stdin=json.dumps(ids)).json()["text"]
        == text
    )


def test_special_tokens(brisk, model, is_built_in):
    with_special = brisk.ok("tokenize", model, "--json", "--pieces", "-p", "<|im_start|>x").json()
    assert with_special["ids"][0] == 1 and with_special["tokens"][0] == "<|im_start|>"
    assert 1 not in brisk.ok("tokenize", model, "--json", "--no-special", "-p", "<|im_start|>x").json()["ids"]
    assert (
        brisk.ok("detokenize", model, "--no-special", "--ids", "1,28,2").out
        == brisk.ok("detokenize", model, "--ids", "28").out
    )


def test_tokenize_from_a_file_and_a_pipe_agree(brisk, model, tmp_path):
    path = tmp_path / "text"
    path.write_text("Some text.\n")
    from_file = brisk.ok("tokenize", model, "--json", "-f", path).json()
    assert from_file == brisk.ok("tokenize", model, "--json", stdin="Some text.\n").json()
    assert from_file != brisk.ok("tokenize", model, "--json", "-p", "Some text.").json()
    plain = brisk.ok("tokenize", model, "-f", path).out
    assert [int(word) for word in plain.split()] == from_file["ids"]


@pytest.mark.parametrize(
    "ids, named",
    [
        ("0,49152000", "49152000"),
        ("-1", "-1"),
        ("1,x", "'x"),
        ("1,99999999999999", "number 2"),
        ("1.5", "'1.5"),
    ],
)
def test_ids_that_are_none(brisk, model, ids, named):
    result = brisk("detokenize", model, "--ids=" + ids)
    assert result.code == 3 and named in result.err


def test_template_of_a_model_and_of_a_file(brisk, model, tmp_path):
    messages = tmp_path / "messages.json"
    messages.write_text(
        json.dumps(
            {
                "messages": [{"role": "user", "content": "Hé"}],
                "add_generation_prompt": True,
                "eos_token": "<E>",
                "extra": 7,
            }
        )
    )
    text = brisk.ok("template", model, "--messages", messages, "--json").json()["text"]
    assert "Hé" in text and brisk.ok("template", model, "--messages", messages).out == text
    jinja = tmp_path / "chat.template"
    jinja.write_text(
        "{% for m in messages %}[{{ m.role }}: {{ m.content }}]{% endfor %}{{ eos_token }}{{ extra }}"
        "{% if add_generation_prompt %}>{% endif %}"
    )
    assert brisk.ok("template", jinja, "--messages", messages, "--json").json()["text"] == "[user: Hé]<E>7>"


@pytest.mark.parametrize(
    "content, named", [("{", "messages.json"), ("3", "messages"), ('{"messages": 3}', "messages")]
)
def test_messages_that_are_none(brisk, tmp_path, content, named):
    messages = tmp_path / "messages.json"
    messages.write_text(content)
    jinja = tmp_path / "t.jinja"
    jinja.write_text("x")
    result = brisk("template", jinja, "--messages", messages)
    assert result.code == 3 and named in result.err


def test_a_template_that_is_none(brisk, tmp_path):
    messages = tmp_path / "messages.json"
    messages.write_text("[]")
    jinja = tmp_path / "t.jinja"
    jinja.write_text("{% for x in %}")
    result = brisk("template", jinja, "--messages", messages)
    assert result.code == 3 and "t.jinja" in result.err
