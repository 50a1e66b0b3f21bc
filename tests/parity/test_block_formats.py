"""The committed oracles of the block formats are what the installed `gguf` package computes.

The C++ side of this parity test is tests/unit/quant/oracle_test.cpp: it compares every decode and encode
with these files bit for bit.
"""

import importlib.util
import pathlib

import pytest

pytest.importorskip("gguf")

ROOT = pathlib.Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("block_formats", ROOT / "tools/oracles/block_formats.py")
block_formats = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(block_formats)


@pytest.mark.parametrize("name", block_formats.FORMATS)
def test_committed_oracle_is_current(name):
    committed = (ROOT / f"tests/data/block_formats/{name}.bin").read_bytes()
    assert committed == block_formats.oracle(name)
