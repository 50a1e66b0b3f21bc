"""The row law on a real model: a row's logits have the same bits whatever else is computed beside it.

One sequence alone is the reference; then it is computed in batches with others, in chunks, and on another
number of threads. Bits are compared, not values.
"""

import brisk
import numpy as np
import pytest

LENGTH = 150
BATCHES = [2, 3, 8, 33]
CHUNKS = [1, 7, 128]


@pytest.fixture(scope="module", params=[False, True], ids=["default", "exact"])
def exact(request):
    return request.param


@pytest.fixture(scope="module", params=[1, 2], ids=["1 thread", "2 threads"])
def model(request, model_path, exact):
    return brisk.load(str(model_path), threads=request.param, exact=exact, ctx=512)


@pytest.fixture(scope="module")
def expected(model_path, tokens, exact):
    """The sequence alone, in one chunk, on one thread."""
    return brisk.load(str(model_path), threads=1, exact=exact, ctx=512).logits(tokens[:LENGTH])


def same_bits(a, b):
    return np.array_equal(a.view(np.uint32), b.view(np.uint32))


def test_alone(model, tokens, expected):
    assert same_bits(model.logits(tokens[:LENGTH]), expected)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_chunks(model, tokens, expected, chunk):
    (got,) = model.logits_batch([tokens[:LENGTH]], chunk=chunk)
    assert same_bits(got, expected)


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("chunk", [1, 7])
def test_batches(model, tokens, expected, batch, chunk):
    """The others have other tokens and other lengths; the sequence stands in the middle."""
    length = LENGTH if chunk > 1 else 40  # a row at a time is slow
    others = [tokens[200 + 20 * i : 200 + 20 * i + length // 2 + i] for i in range(batch - 1)]
    place = batch // 2
    sequences = [*others[:place], tokens[:length], *others[place:]]
    got = model.logits_batch(sequences, chunk=chunk)[place]
    assert same_bits(got, expected[:length])


def test_another_token_changes_the_bits(model, tokens, expected):
    """The comparison can fail."""
    changed = [tokens[0] + 1, *tokens[1:LENGTH]]
    assert not same_bits(model.logits(changed), expected)
