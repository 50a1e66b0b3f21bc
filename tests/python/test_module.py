"""The Python module on the built-in model: what it returns, what it raises, and that it can be interrupted."""

import gc
import os
import signal
import threading
import time

import brisk
import numpy as np
import pytest

MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def model(model_path):
    return brisk.load(str(model_path), ctx=1024)


@pytest.fixture(scope="module")
def prompt(model):
    return model.render_chat(MESSAGES)


def test_info(model):
    info = model.info
    assert info["architecture"] == "llama"
    assert info["vocabulary"] == 49152
    assert info["context"] == 1024
    assert 4 < info["bits_per_weight"] < 8


def test_tokens_round_trip(model):
    text = "Grüße, 世界! 123"
    assert model.detokenize(model.tokenize(text)) == text


def test_special_tokens_in_text(model):
    assert len(model.tokenize("<|im_end|>")) == 1
    assert len(model.tokenize("<|im_end|>", parse_special=False)) > 1
    assert model.detokenize(model.tokenize("<|im_end|>hi"), special=False) == "hi"


def test_tokenizer_alone(model, model_path):
    tokenizer = brisk.tokenizer(str(model_path))
    assert len(tokenizer) == 49152
    assert tokenizer.encode("one two") == model.tokenize("one two")
    assert tokenizer.decode(tokenizer.encode("one two")) == "one two"


def test_chat_template(model):
    prompt = model.render_chat(MESSAGES)
    assert prompt.endswith("<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n")
    assert not model.render_chat(MESSAGES, add_generation_prompt=False).endswith("assistant\n")


def test_logits(model):
    tokens = model.tokenize("The capital of France is")
    logits = model.logits(tokens)
    assert logits.shape == (len(tokens), 49152)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    assert model.detokenize([int(logits[-1].argmax())]).strip() == "Paris"


def test_logits_outlive_the_model(model_path):
    logits = brisk.load(str(model_path), ctx=64).logits([1, 2, 3])
    before = logits.copy()
    gc.collect()
    assert np.array_equal(before, logits)


def test_logits_of_a_batch_of_different_lengths(model):
    sequences = [[1, 2, 3, 4, 5], [7], [9, 8, 7]]
    batch = model.logits_batch(sequences, chunk=2)
    assert [logits.shape for logits in batch] == [(5, 49152), (1, 49152), (3, 49152)]
    for tokens, logits in zip(sequences, batch):
        assert np.array_equal(logits, model.logits(tokens))


def test_generate(model):
    prompt = "The capital of France is"
    answer = model.generate(prompt, max_tokens=8, temperature=0)
    assert "Paris" in answer.text
    assert answer.prompt_tokens == len(model.tokenize(prompt))
    assert answer.finish_reason in ("stop", "length")
    assert 0 < len(answer.tokens) <= 8
    assert answer.timings["predicted_n"] > 0
    assert "Paris" in repr(answer)


def test_tokens_as_prompt_give_the_same(model, prompt):
    by_text = model.generate(prompt, max_tokens=8, temperature=0)
    by_tokens = model.generate(model.tokenize(prompt), max_tokens=8, temperature=0)
    assert by_text.tokens == by_tokens.tokens


def test_stream_is_the_same_text(model, prompt):
    stream = model.generate(prompt, max_tokens=24, temperature=0, stream=True)
    pieces = list(stream)
    assert len(pieces) > 1
    assert "".join(pieces) == stream.result.text == model.generate(prompt, max_tokens=24, temperature=0).text


def test_seed_fixes_the_answer(model, prompt):
    def answer(seed):
        return model.generate(prompt, max_tokens=24, temperature=1.5, top_k=0, top_p=1.0, min_p=0.0, seed=seed).tokens

    assert answer(1) == answer(1)
    assert answer(1) != answer(2)


def test_stop_string(model, prompt):
    whole = model.generate(prompt, max_tokens=40, temperature=0).text
    stop = whole.split()[3]
    answer = model.generate(prompt, max_tokens=40, temperature=0, stop=[stop])
    assert answer.text == whole[: whole.index(stop)]
    assert answer.finish_reason == "stop"


def test_length_limit(model, prompt):
    answer = model.generate(prompt, max_tokens=3, temperature=0)
    assert answer.finish_reason == "length"
    assert len(answer.tokens) == 3


def test_a_stream_can_be_cancelled(model, prompt):
    stream = model.generate(prompt, max_tokens=500, temperature=0, ignore_eos=True, stream=True)
    next(stream)
    stream.cancel()
    assert stream.result.finish_reason == "cancelled"
    assert len(stream.result.tokens) < 500


def test_a_dropped_stream_ends_soon(model, prompt):
    stream = model.generate(prompt, max_tokens=900, temperature=0, ignore_eos=True, stream=True)
    next(stream)
    start = time.monotonic()
    del stream
    gc.collect()
    assert time.monotonic() - start < 5


def test_streams_of_several_threads(model, prompt):
    expected = model.generate(prompt, max_tokens=16, temperature=0).text
    texts = [None] * 3

    def answer(i):
        texts[i] = "".join(model.generate(prompt, max_tokens=16, temperature=0, stream=True))

    threads = [threading.Thread(target=answer, args=(i,)) for i in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [expected] * 3


@pytest.mark.parametrize(
    "work",
    [
        lambda model, prompt: model.generate(prompt, max_tokens=900, temperature=0, ignore_eos=True),
        lambda model, prompt: list(model.generate(prompt, max_tokens=900, temperature=0, ignore_eos=True, stream=True)),
        lambda model, prompt: model.logits_batch([list(range(900))], chunk=1),
    ],
    ids=["generate", "stream", "logits"],
)
def test_keyboard_interrupt(model, prompt, work):
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        work(model, prompt)
    assert time.monotonic() - start < 5
    assert model.generate(prompt, max_tokens=2, temperature=0).tokens  # and the model still answers


def test_python_runs_while_we_compute(model):
    ticks = 0
    done = threading.Event()

    def tick():
        nonlocal ticks
        while not done.wait(0.01):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    model.logits_batch([list(range(64))], chunk=1)
    done.set()
    thread.join()
    assert ticks > 3


def test_decode_blocks():
    scale = np.array([0.5], np.float16).tobytes()
    codes = np.arange(-16, 16, dtype=np.int8)
    values = brisk.decode_blocks("q8_0", scale + codes.tobytes())
    assert np.array_equal(values, codes.astype(np.float32) * 0.5)


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (lambda model: brisk.load("/no/such/file.gguf"), brisk.EnvironmentFailure),
        (lambda model: brisk.load(__file__), brisk.BadInputError),
        (lambda model: brisk.tokenizer(__file__), brisk.BadInputError),
        (lambda model: brisk.load(__file__, isa="mmx"), brisk.UsageError),
        (lambda model: brisk.load(__file__, threads=0), brisk.UsageError),
        (lambda model: brisk.load(__file__, ctx=0), brisk.UsageError),
        (lambda model: model.logits([10**6]), brisk.BadInputError),
        (lambda model: model.logits([-1]), brisk.BadInputError),
        (lambda model: model.logits(list(range(1025))), brisk.BadInputError),
        (lambda model: model.logits_batch([[1]], chunk=0), brisk.UsageError),
        (lambda model: model.detokenize([10**6]), brisk.BadInputError),
        (lambda model: model.generate("hi", temperature=-1.0), brisk.UsageError),
        (lambda model: model.generate("word " * 2000), brisk.BadInputError),
        (lambda model: model.generate([10**6], max_tokens=1), brisk.BadInputError),
        (lambda model: brisk.decode_blocks("q9_9", b""), brisk.UsageError),
        (lambda model: brisk.decode_blocks("q8_0", b"123"), brisk.BadInputError),
    ],
)
def test_errors(model, work, error):
    with pytest.raises(error) as raised:
        work(model)
    assert isinstance(raised.value, brisk.Error)
    assert raised.value.where
    assert raised.value.expected
    assert raised.value.expected in str(raised.value)
