"""The committed oracles and grids of the block formats are what the installed `gguf` package computes.

The C++ side of this parity test is tests/unit/quant/oracle_test.cpp: it compares every decode and encode
with these files bit for bit.
"""

import importlib.util
import pathlib

import pytest

gguf = pytest.importorskip("gguf")

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load_oracle(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/oracles/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


block_formats = load_oracle("block_formats")
lattice_grids = load_oracle("lattice_grids")


@pytest.mark.parametrize("name", block_formats.FORMATS)
def test_committed_oracle_is_current(name):
    committed = (ROOT / f"tests/data/block_formats/{name}.bin").read_bytes()
    assert committed == block_formats.oracle(name)


def test_committed_grids_are_current():
    assert (ROOT / "tests/data/block_formats/lattice_grids.bin").read_bytes() == block_formats.grids()
    assert (ROOT / "src/quant/lattice/grid_bits.inc").read_text() == lattice_grids.text()


def test_every_type_that_gguf_decodes_is_here():
    plain = {"F32", "F16"}
    types = {type_.name for type_ in gguf.quants._type_traits} | plain
    assert types == {name.upper() for name in block_formats.FORMATS}
