"""Writes the oracles of the block formats: what the Python package `gguf` decodes and encodes.

    python tools/oracles/block_formats.py [FOLDER]        (default tests/data/block_formats)

For each format, FOLDER/<name>.bin, little-endian:
    u32 values per block, u32 bytes per block, u32 n decoded blocks, u32 m encoded blocks
    n blocks as bytes, n * values f32: the blocks and what they decode to
    m * values f32, m blocks as bytes: values and what they encode to (m = 0 where gguf has no encoder)
The seed is fixed; tests/parity/test_block_formats.py fails when the committed files are not what this
script gives.
"""

import pathlib
import struct
import sys

import gguf
import numpy as np

FORMATS = {
    "f32": "F32", "f16": "F16", "bf16": "BF16", "q4_0": "Q4_0", "q4_1": "Q4_1", "q5_0": "Q5_0",
    "q5_1": "Q5_1", "q8_0": "Q8_0", "q4_k": "Q4_K", "q5_k": "Q5_K", "q6_k": "Q6_K",
}
# Where the f16 scales of a block lie.
HALF_OFFSETS = {
    "q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "q8_0": [0], "q4_k": [0, 2], "q5_k": [0, 2],
    "q6_k": [208],
}
# Zero, subnormals, the smallest normal, one, the largest, infinity, NaN, and the same negative.
EXTREME_HALVES = [0x0000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0x7BFF, 0x7C00, 0x7E00]
EXTREME_HALVES += [half | 0x8000 for half in EXTREME_HALVES]
ENCODERS = ["f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"]
SEED = 20260801


def random_blocks(name, type_bytes, rng):
    """Random bytes; plain scales in half of the blocks, one extreme scale each in the others."""
    if name not in HALF_OFFSETS:
        return rng.integers(0, 256, size=(1024, type_bytes), dtype=np.uint8)
    offsets = HALF_OFFSETS[name]
    extremes = [(offset, half) for half in EXTREME_HALVES for offset in offsets]
    if name.endswith("_k"):
        extremes = extremes[::3]  # large blocks: fewer of them
    blocks = rng.integers(0, 256, size=(2 * len(extremes), type_bytes), dtype=np.uint8)
    for offset in offsets:
        plain = rng.normal(0, 0.1, len(blocks)).astype("<f2")
        blocks[:, offset:offset + 2] = plain.view(np.uint8).reshape(-1, 2)
    for i, (offset, half) in enumerate(extremes):
        blocks[i, offset:offset + 2] = np.frombuffer(struct.pack("<H", half), np.uint8)
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
    type_ = gguf.GGMLQuantizationType[FORMATS[name]]
    block_values, block_bytes = gguf.GGML_QUANT_SIZES[type_]
    rng = np.random.default_rng([SEED, int(type_)])
    blocks = random_blocks(name, block_bytes, rng)
    with np.errstate(all="ignore"):
        decoded = gguf.quants.dequantize(blocks, type_).astype("<f4")
    values = values_to_encode(block_values, rng) if name in ENCODERS else np.zeros((0, block_values), "<f4")
    encoded = gguf.quants.quantize(values, type_) if len(values) else np.zeros((0, block_bytes), np.uint8)
    header = struct.pack("<4I", block_values, block_bytes, len(blocks), len(values))
    return header + blocks.tobytes() + decoded.tobytes() + values.tobytes() + encoded.tobytes()


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "tests/data/block_formats"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    for name in FORMATS:
        data = oracle(name)
        (folder / f"{name}.bin").write_bytes(data)
        print(f"{name}: {len(data)} bytes")


if __name__ == "__main__":
    main()
