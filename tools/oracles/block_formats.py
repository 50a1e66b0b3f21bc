"""Writes the oracles of the block formats: what the Python package `gguf` decodes and encodes.

    python tools/oracles/block_formats.py [FOLDER]        (default tests/data/block_formats)

For each format, FOLDER/<name>.bin, little-endian:
    u32 values per block, u32 bytes per block, u32 n decoded blocks, u32 m encoded blocks
    n blocks as bytes, n * values f32: the blocks and what they decode to
    m * values f32, m blocks as bytes: values and what they encode to (m = 0 where gguf has no encoder)
FOLDER/lattice_grids.bin: the points of the grids of IQ1_S, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS and IQ3_S, one after the
other, each coordinate an i8.
The seed is fixed; tests/parity/test_block_formats.py fails when the committed files are not what this
script gives.
"""

import pathlib
import struct
import sys

import gguf
import numpy as np

FORMATS = [
    "f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq1_s",
    "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "iq3_xxs", "iq3_s", "iq4_nl", "iq4_xs", "tq1_0", "tq2_0", "mxfp4", "nvfp4",
]
# Where the f16 scales of a block lie. (That of iq1_m lies in pieces: put_half.)
HALF_OFFSETS = {
    "q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "q8_0": [0], "q2_k": [80, 82], "q3_k": [108],
    "q4_k": [0, 2], "q5_k": [0, 2], "q6_k": [208], "iq1_s": [0], "iq1_m": [48], "iq2_xxs": [0], "iq2_xs": [0],
    "iq2_s": [0], "iq3_xxs": [0], "iq3_s": [0], "iq4_nl": [0], "iq4_xs": [0], "tq1_0": [52], "tq2_0": [64],
}
# How many bytes at the start of a block are scales of one byte: the blocks run through all their values.
SCALE_BYTES = {"mxfp4": 1, "nvfp4": 4}
GRIDS = ["IQ1_S", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"]
# Zero, subnormals, the smallest normal, one, the largest, infinity, NaN, and the same negative.
EXTREME_HALVES = [0x0000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0x7BFF, 0x7C00, 0x7E00]
EXTREME_HALVES += [half | 0x8000 for half in EXTREME_HALVES]
ENCODERS = ["f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "tq1_0", "tq2_0", "mxfp4"]
SEED = 20260801


def type_of(name):
    return gguf.GGMLQuantizationType[name.upper()]


VALUES = {name: gguf.GGML_QUANT_SIZES[type_of(name)][0] for name in FORMATS}


def put_half(name, block, offset, half):
    """Writes the bits of an f16 scale into a block."""
    if name == "iq1_m":  # four bits of it on top of each of four words
        words = block[offset:offset + 8].view("<u2")
        words[:] = (words & 0x0FFF) | (np.uint16(half) >> np.array([0, 4, 8, 12], "<u2") << 12)
    else:
        block[offset:offset + 2].view("<u2")[:] = half


def random_blocks(name, type_bytes, rng):
    """Random bytes; plain scales in half of the blocks, one extreme scale each in the others. The last two blocks have
    bits that are all zero and all one, but for plain scales."""
    if name in SCALE_BYTES:
        scale_bytes = SCALE_BYTES[name]
        blocks = rng.integers(0, 256, size=(256 // scale_bytes, type_bytes), dtype=np.uint8)
        blocks[:, :scale_bytes] = np.arange(256, dtype=np.uint8).reshape(-1, scale_bytes)
        return blocks
    if name not in HALF_OFFSETS:
        return rng.integers(0, 256, size=(1024, type_bytes), dtype=np.uint8)
    offsets = HALF_OFFSETS[name]
    extremes = [(offset, half) for half in EXTREME_HALVES for offset in offsets]
    if VALUES[name] == 256:
        extremes = extremes[::3]  # large blocks: fewer of them
    blocks = rng.integers(0, 256, size=(2 * len(extremes) + 2, type_bytes), dtype=np.uint8)
    blocks[-2] = 0
    blocks[-1] = 0xFF
    for offset in offsets:
        for block, scale in zip(blocks, rng.normal(0, 0.1, len(blocks)).astype("<f2").view("<u2")):
            put_half(name, block, offset, scale)
    for block, (offset, half) in zip(blocks, extremes):
        put_half(name, block, offset, half)
    return blocks


def values_to_encode(values_per_block, rng):
    """Weights of several magnitudes, a block of zeros, one constant, one with a single outlier."""
    rows = max(16, 1024 // values_per_block)
    values = rng.normal(0, 1, (rows, values_per_block)) * 10.0 ** rng.integers(-4, 3, (rows, 1))
    values[0] = 0
    values[1] = 0.7
    values[2] = 0
    values[2, -1] = -3
    return values.astype("<f4")


def oracle(name):
    """The bytes of one file."""
    type_ = type_of(name)
    block_values, block_bytes = gguf.GGML_QUANT_SIZES[type_]
    rng = np.random.default_rng([SEED, int(type_)])
    blocks = random_blocks(name, block_bytes, rng)
    with np.errstate(all="ignore"):
        decoded = gguf.quants.dequantize(blocks, type_).astype("<f4")
    values = values_to_encode(block_values, rng) if name in ENCODERS else np.zeros((0, block_values), "<f4")
    encoded = gguf.quants.quantize(values, type_) if len(values) else np.zeros((0, block_bytes), np.uint8)
    header = struct.pack("<4I", block_values, block_bytes, len(blocks), len(values))
    return header + blocks.tobytes() + decoded.tobytes() + values.tobytes() + encoded.tobytes()


def grids():
    """The bytes of lattice_grids.bin."""
    out = b""
    for name in GRIDS:
        format_ = getattr(gguf.quants, name)
        format_.init_grid()
        out += format_.grid.reshape(format_.grid_shape).astype(np.int8).tobytes()
    return out


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "tests/data/block_formats"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    for name in FORMATS:
        data = oracle(name)
        (folder / f"{name}.bin").write_bytes(data)
        print(f"{name}: {len(data)} bytes")
    (folder / "lattice_grids.bin").write_bytes(grids())


if __name__ == "__main__":
    main()
