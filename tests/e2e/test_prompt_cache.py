"""brisk run --prompt-cache: what one process stored, another takes up; and how keys and values are stored."""

import pytest

STORY = "Once upon a time there was a small robot that lived in a lighthouse by the sea. " * 6


def answer(brisk, model, *words):
    return brisk.ok("run", model, "--json", "--temp", "0", "--no-chat", "-n", "16", *words).json()


@pytest.mark.parametrize("kind", ["f16", "q8_0"])
def test_a_new_process_goes_on_where_the_last_one_stopped(brisk, model, tmp_path, kind):
    cache = tmp_path / "story.cache"
    first = answer(brisk, model, "-p", STORY, "-ctk", kind, "--prompt-cache", cache)
    assert first["timings"]["cache_n"] == 0 and cache.stat().st_size > 0
    longer = STORY + first["text"] + " Then"
    expected = answer(brisk, model, "-p", longer, "-ctk", kind)
    resumed = answer(brisk, model, "-p", longer, "-ctk", kind, "--prompt-cache", cache, "--prompt-cache-ro")
    assert resumed["tokens"] == expected["tokens"]
    assert resumed["timings"]["cache_n"] >= first["prompt_tokens"] > 100
    assert resumed["timings"]["prompt_n"] < 30


def test_damaged_and_foreign_caches_are_refused_and_left_alone(brisk, model, tmp_path):
    cache = tmp_path / "story.cache"
    answer(brisk, model, "-p", STORY, "--prompt-cache", cache)
    good = cache.read_bytes()
    flipped = bytearray(good)
    flipped[-1000] ^= 1
    for bad in (good[:-1], good[: len(good) // 2], bytes(flipped), b"", b"not a snapshot" * 100):
        cache.write_bytes(bad)
        refused = brisk("run", model, "-p", STORY, "-n", "4", "--prompt-cache", cache)
        assert refused.code == 3, refused.err
        assert "story.cache" in refused.err and refused.err.count("error:") == 1
        assert cache.read_bytes() == bad
    cache.write_bytes(good)
    other_type = brisk("run", model, "-p", STORY, "-n", "4", "-ctk", "q8_0", "--prompt-cache", cache)
    assert other_type.code == 3 and cache.read_bytes() == good


def test_what_a_cache_cannot_serve_is_refused_before_anything_is_written(brisk, model, tmp_path):
    cache = tmp_path / "new.cache"
    for more in (["--decode", "contrastive", "--amateur", model], ["--kv-policy", "streaming", "--kv-budget", "64"]):
        refused = brisk("run", model, "-p", "hello", "--temp", "0", "--prompt-cache", cache, *more)
        assert refused.code == 2 and more[1] in refused.err
    for path, code in ((tmp_path / "no/folder/c", 4), (tmp_path, 4), ("", 2)):
        assert brisk("run", model, "-p", "hello", "--prompt-cache", path).code == code
    assert brisk("run", model, "-p", "hello", "--prompt-cache-ro").code == 2
    assert list(tmp_path.glob("*.cache*")) == []


def test_early_exits_take_a_cache(brisk, model, tmp_path):
    cache = tmp_path / "story.cache"
    words = ["-p", STORY, "--decode", "dola", "--prompt-cache", cache]
    first, again = answer(brisk, model, *words), answer(brisk, model, *words)
    assert again["tokens"] == first["tokens"] and again["timings"]["cache_n"] > 0


@pytest.mark.parametrize("kind", ["f32", "f16", "bf16", "q8_0"])
def test_every_type_of_keys_and_values_answers(brisk, model, kind):
    asked = ["run", model, "--temp", "0", "-n", "12", "-p", "What is the capital of France?"]
    assert "Paris" in brisk.ok(*asked, "-ctk", kind, "-ctv", kind).out


def test_four_bits_answer_in_words(brisk, model):
    # On this small model q4_0 costs a tenth of a nat per token, enough to turn a greedy answer elsewhere.
    asked = ["run", model, "--temp", "0", "-n", "12", "-p", "What is the capital of France?", "-ctk", "q4_0"]
    assert "France" in brisk.ok(*asked).out


def test_two_types_are_refused(brisk, model):
    refused = brisk("run", model, "-p", "x", "-ctk", "f16", "-ctv", "q8_0")
    assert refused.code == 2 and "-ctv" in refused.err
