"""Our logits are transformers' logits: 2,000 tokens of Wikipedia, teacher-forced, f32 on dequantised weights."""

import brisk
import numpy as np
import pytest
import reference

EXACT_MAX_DIFFERENCE = 2e-3
EXACT_MEAN_KL = 1e-6
DEFAULT_MEAN_KL = 1e-3


@pytest.fixture(scope="module")
def expected(model_file, tokens):
    return reference.logits(model_file.network(), tokens)


def compare(name, expected, got):
    """Prints and returns (max abs difference, mean KL divergence)."""
    assert got.shape == expected.shape
    difference = float(np.abs(expected - got).max())
    kl = float(reference.kl_divergence(expected, got).mean())
    agreement = float((expected.argmax(-1) == got.argmax(-1)).mean())
    print(f"\n{name}: max abs difference {difference:.3g}, mean KL {kl:.3g}, same best token {agreement:.2%}")
    return difference, kl


def test_exact_mode(model_path, expected, tokens):
    got = brisk.load(str(model_path), exact=True).logits(tokens)
    difference, kl = compare("exact", expected, got)
    assert difference <= EXACT_MAX_DIFFERENCE
    assert kl <= EXACT_MEAN_KL


@pytest.mark.parametrize("isa", ["best", "ref"])
def test_default_mode(model_path, expected, tokens, isa):
    count = len(tokens) if isa == "best" else 200  # the reference kernels are slow
    got = brisk.load(str(model_path), isa=None if isa == "best" else isa).logits(tokens[:count])
    _, kl = compare(f"default, {isa}", expected[:count], got)
    assert kl <= DEFAULT_MEAN_KL
