"""Folders that the quantisers' own libraries wrote give the logits of their dequantised twin in transformers.

Those that compressed-tensors and transformers write are made here, of width 256 and two layers. GPTQ's and
AWQ's writers are too heavy for a test machine: theirs are recorded in tests/data/quantized, with the logits of
the twin (tools/oracles/quantized_folders.py, which made both). Bit for bit, the matrices are compared in
tests/unit/models/quantized_folders_test.cpp.
"""

import importlib.util
import json
import pathlib

import brisk
import numpy as np
import pytest
import safetensors.torch
import tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/data/quantized"
MOST_DIFFERENCE = 1e-3  # of the range of the logits


def load_oracle(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/oracles/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


oracle = load_oracle("quantized_folders")
ALL = list(oracle.schemes(32))
RECORDED = [name for name in ALL if name.startswith(oracle.NEEDS_OTHER_PACKAGES)]
LIVE = [name for name in ALL if name not in RECORDED]


def add_tokenizer(folder):
    """A token for each byte: the tests give tokens, but a folder without a tokenizer does not load."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    model = tokenizers.models.BPE(vocab={sign: i for i, sign in enumerate(alphabet)}, merges=[])
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))


def compare(name, folder, expected):
    add_tokenizer(folder)
    got = brisk.load(str(folder), exact=True).logits(oracle.TOKENS)
    assert got.shape == expected.shape
    share = float(np.abs(got - expected).max() / (expected.max() - expected.min()))
    print(f"\n{name}: greatest difference {share:.3g} of the range")
    assert share <= MOST_DIFFERENCE


@pytest.mark.parametrize("name", LIVE)
def test_logits_are_the_twins(tmp_path, name):
    model = oracle.write_pair(tmp_path, name)
    compare(name, tmp_path / name, oracle.logits(model))


@pytest.mark.parametrize("name", RECORDED)
def test_logits_of_recorded_folders(tmp_path, name):
    tensors = safetensors.torch.load_file(FIXTURES / name / "model.safetensors")
    tensors |= safetensors.torch.load_file(FIXTURES / "common.safetensors")
    oracle.write_folder(tmp_path / name, (FIXTURES / name / "config.json").read_text(), tensors)
    compare(name, tmp_path / name, np.load(FIXTURES / name / "logits.npy"))


@pytest.mark.parametrize("name", LIVE)
def test_recorded_folders_are_current(tmp_path, name):
    oracle.write_fixture(tmp_path, name)
    for made in (tmp_path / name).iterdir():
        assert made.read_bytes() == (FIXTURES / name / made.name).read_bytes(), made.name


def test_all_are_recorded():
    assert {path.name for path in FIXTURES.iterdir() if path.is_dir()} == set(ALL)
    for name in ALL:
        expected = json.loads((FIXTURES / name / "expected.json").read_text())
        assert len(expected["modules"]) == 7
