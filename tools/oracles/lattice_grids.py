"""Writes src/quant/lattice/grid_bits.inc: the grids of the lattice formats (IQ1_*, IQ2_*, IQ3_*).

    python tools/oracles/lattice_grids.py [FILE]

The grids are constants of those formats; they come from the Python package `gguf`. A grid is a set of points
whose coordinates each take one of a few levels. Read as digits, first coordinate least significant, the levels
of a point are its key. In every grid the points stand in the order of their keys, so the grid is fully told by
the set of its keys: bit k % 64 of word k / 64 says whether the point with key k belongs to it.
"""

import pathlib
import sys

import gguf
import numpy as np

GRIDS = ["IQ1_S", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"]
WORDS_PER_LINE = 5


def keys_of(name):
    """The keys of a grid's points, and how many keys there could be."""
    format_ = getattr(gguf.quants, name)
    format_.init_grid()
    levels = format_.grid_map
    points = format_.grid.reshape(format_.grid_shape)
    digits = np.searchsorted(levels, points)
    keys = digits @ len(levels) ** np.arange(points.shape[1])
    assert (np.diff(keys) > 0).all(), f"the points of {name} are not in the order of their keys"
    return keys, len(levels) ** points.shape[1]


def bits_of(name):
    """The C++ array of one grid."""
    keys, count = keys_of(name)
    words = [0] * ((count + 63) // 64)
    for key in keys.tolist():
        words[key // 64] |= 1 << (key % 64)
    texts = [f"0x{word:016X}" for word in words]
    lines = [", ".join(texts[i:i + WORDS_PER_LINE]) for i in range(0, len(texts), WORDS_PER_LINE)]
    constant = "k" + name.title().replace("_", "").replace("Iq", "IQ") + "Bits"
    return f"constexpr uint64_t {constant}[] = {{\n" + "".join(f"    {line},\n" for line in lines) + "};\n"


def text():
    head = "// Written by tools/oracles/lattice_grids.py, which says what the bits mean.\n"
    return head + "\n" + "\n".join(bits_of(name) for name in GRIDS)


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "src/quant/lattice/grid_bits.inc"
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    path.write_text(text())
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
