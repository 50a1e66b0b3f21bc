"""We accept a GGUF file when the `gguf` package does, and then see the same keys and tensors in it.

The package trusts files more than we do; what we refuse on purpose is in STRICTER, what it refuses or cannot read in
LAXER. Both are explained in docs/design/files.md. Any other difference fails.
"""

import collections
import os
import random
import re
import struct
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

gguf = pytest.importorskip("gguf")

# What we refuse and the package accepts: a pattern of our message, by the table's row.
STRICTER = {
    "names": r"expected (1 to 65535 bytes|UTF-8|no control characters)",
    "booleans": r"expected a bool \(0 or 1\)",
    "alignment": r"expected a power of two from|expected an offset that is a multiple",
    "overlaps": r"inside that of tensor",
    "arrays of arrays": r"array of arrays|an element type",
    "element type of an empty array": r"expected a value type from",
    "types of intermediate results": r"got type \d+ \((Q8_1|Q8_K|Q1_0)\)",
    "dimensions": r"expected at most 4 dimensions|expected dimensions up to",
}
# What the package refuses and we accept: a pattern of its exception.
LAXER = {
    "names of its own fields": r"Duplicate GGUF\.",
    "shapes of empty tensors": r"array is too big|Maximum allowed dimension|cannot reshape array of size 0",
}

OWN_FIELDS = {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count"}  # which the package puts among the keys

TYPES = {  # number, values and bytes of a block
    "F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144),
    "I8": (24, 1, 1), "I32": (26, 1, 4), "I64": (27, 1, 8), "F64": (28, 1, 8), "BF16": (30, 1, 2), "IQ4_NL": (20, 32, 18),
    "MXFP4": (39, 32, 17), "TQ2_0": (35, 256, 66),
}  # fmt: skip
CODES = ["B", "b", "H", "h", "I", "i", "f", "?", None, None, "Q", "q", "d"]
STRING, ARRAY = 8, 9
NUMBERS = [0, 1, 2, 3, 4, 7, 8, 9, 31, 32, 33, 64, 255, 256, 2**16, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
NAMES = [b"a", b"a", b"b.weight", b"", b"general.architecture", b"general.alignment", b"\xff", b"a\n", b"\0", "é☃".encode(),
         b"n" * 70, b"GGUF.version", b"a b"]  # fmt: skip


class Maker:
    """Makes files as lists of (kind, bytes), so that a field can be found and changed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, data):
        return [("length", struct.pack("<Q", len(data))), ("text", data)]

    def value(self, type_):
        rng = self.random
        if type_ == STRING:
            return self.text(rng.choice(NAMES + [b"llama", b"x" * 40]))
        if type_ == ARRAY:
            element = rng.choice([t for t in range(13) if t != ARRAY or rng.random() < 0.02])
            count = rng.choice([0, 1, 2, 5])
            parts = [("type", struct.pack("<I", element)), ("count", struct.pack("<Q", count))]
            return parts + [part for _ in range(count) for part in self.value(element)]
        code = CODES[type_]
        number = rng.choice([0, 1]) if code == "?" else rng.choice([0, 1, 7, 100])
        return [("value", struct.pack("<" + code, number))]

    def key(self, name):
        if name == b"general.alignment" and self.random.random() < 0.8:
            alignment = self.random.choice([8, 16, 32, 64, 128])
            return [*self.text(name), ("type", struct.pack("<I", 4)), ("value", struct.pack("<I", alignment))], alignment
        type_ = self.random.randrange(13)
        return [*self.text(name), ("type", struct.pack("<I", type_)), *self.value(type_)], 32

    def tensor(self, name, offset):
        rng = self.random
        number, values, size = TYPES[rng.choice(list(TYPES))]
        dims = [rng.choice([0, 1, 1, 2, 3]) if i else values * rng.choice([1, 1, 2]) for i in range(rng.choice([1, 1, 2, 3, 4]))]
        count = int(np.prod(dims))
        parts = [*self.text(name), ("n_dims", struct.pack("<I", len(dims)))]
        parts += [("dim", struct.pack("<Q", dim)) for dim in dims]
        parts += [("type", struct.pack("<I", number)), ("offset", struct.pack("<Q", offset))]
        return parts, count // values * size

    def valid(self):
        rng = self.random
        used, alignment, keys, tensors, data = set(), 32, [], [], b""
        for i in range(rng.choice([0, 1, 2, 4, 6])):
            name = rng.choice(NAMES) if rng.random() < 0.2 else f"k{i}".encode()
            if name in used and rng.random() < 0.9:
                continue
            used.add(name)
            parts, chosen = self.key(name)
            alignment = chosen if name == b"general.alignment" else alignment
            keys.append(parts)
        for i in range(rng.choice([0, 1, 1, 2, 4])):
            name = rng.choice(NAMES) if rng.random() < 0.1 else f"t{i}".encode()
            parts, size = self.tensor(name, len(data))
            tensors.append(parts)
            data += rng.randbytes(size)
            data += bytes(-len(data) % alignment)
        version = rng.choice([3, 3, 3, 2])
        head = [("magic", b"GGUF"), ("version", struct.pack("<I", version))]
        head += [("count", struct.pack("<Q", len(tensors))), ("count", struct.pack("<Q", len(keys)))]
        parts = head + [part for group in keys + tensors for part in group]
        size = sum(len(part) for _, part in parts)
        return [*parts, ("padding", bytes(-size % alignment)), ("data", data)]

    def mutate(self, parts):
        rng = self.random
        at = rng.randrange(len(parts))
        kind, old = parts[at]
        choice = rng.randrange(8)
        if choice < 4 and kind not in ("text", "data", "padding", "magic"):
            number = rng.choice(NUMBERS) if choice < 2 else int.from_bytes(old, "little") + rng.choice([-1, 1, 2, 8, 32])
            parts[at] = (kind, (number % 256 ** len(old)).to_bytes(len(old), "little"))
        elif choice == 4:
            parts[at] = (kind, rng.choice(NAMES)) if kind == "text" else (kind, old[: len(old) // 2])
        elif choice == 5:
            del parts[at]
        elif choice == 6:
            parts.insert(at, parts[rng.randrange(len(parts))])
        else:
            other = rng.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]

    def file(self):
        rng = self.random
        parts = self.valid()
        for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 3])):
            self.mutate(parts)
        file = bytearray(b"".join(part for _, part in parts))
        if rng.random() < 0.25 and file:
            at = rng.randrange(len(file))
            choice = rng.randrange(4)
            if choice == 0:
                file[at] ^= 1 << rng.randrange(8)
            elif choice == 1:
                del file[at:]
            elif choice == 2:
                del file[at : at + rng.choice([1, 4, 8])]
            else:
                file[at:at] = rng.randbytes(rng.choice([1, 4, 8]))
        return bytes(file)


class BoundedReader(gguf.GGUFReader):
    """The package's reader, but that it stops at the end of the file: a claim of 2^62 elements would keep it for years,
    since it takes what lies beyond the end for empty."""

    def _get(self, offset, dtype, count=1, override_order=None):
        if count and int(offset) + np.dtype(dtype).itemsize * int(count) > len(self.data):
            raise EOFError(f"{int(count)} values at byte {int(offset)} of {len(self.data)}")
        return super()._get(offset, dtype, count, override_order)


def by_package(path):
    """The package's verdict, in the form of our judge's."""
    try:
        reader = BoundedReader(path)
        keys = [[name, int(field.types[0])] for name, field in reader.fields.items() if name not in OWN_FIELDS]
        tensors = [
            [t.name, t.tensor_type.name, [int(d) for d in t.shape], np.ascontiguousarray(t.data).tobytes().hex()]
            for t in reader.tensors
        ]
    except Exception as error:  # the package has no error of its own
        return {"refused": f"{type(error).__name__}: {error}"}
    return {"keys": keys, "tensors": tensors}


def row_of(table, text):
    return next((row for row, pattern in table.items() if re.search(pattern, text)), None)


def explained(ours, theirs):
    """Whether and how the table explains a difference."""
    if "refused" in ours and "refused" in theirs:
        return "same"
    if "refused" in ours:
        return row_of(STRICTER, ours["refused"])
    if "refused" in theirs:
        return row_of(LAXER, theirs["refused"])
    return "same" if ours["tensors"] == theirs["tensors"] and ours["keys"] == theirs["keys"] else None


@pytest.fixture
def scratch_file():
    """A path in memory where there is such a place: a hundred thousand files go through it."""
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=folder) as made:
        yield Path(made) / "file.gguf"


def test_mutated_files(judge, file_count, seed, scratch_file):
    warnings.simplefilter("ignore")
    ours, maker = judge("gguf"), Maker(seed)
    start = time.monotonic()
    counts, rows, differing = collections.Counter(), collections.Counter(), []
    for done in range(0, file_count, 5000):
        files = [maker.file() for _ in range(min(5000, file_count - done))]
        for file, verdict in zip(files, ours(files)):
            scratch_file.write_bytes(file)
            theirs = by_package(scratch_file)
            counts["refused" if "refused" in theirs else "accepted"] += 1
            row = explained(verdict, theirs)
            if row is None:
                differing.append((file, verdict, theirs))
            elif row != "same":
                rows[row] += 1
    print(f"\nseed {seed}: {dict(counts)}, explained differences {dict(rows)}, {time.monotonic() - start:.1f} s")
    for file, verdict, theirs in differing[:20]:
        print(f"{file!r}\n  ours:   {str(verdict)[:300]}\n  theirs: {str(theirs)[:300]}")
    assert not differing, f"{len(differing)} files on which we differ from the package without a reason"
    assert min(counts["accepted"], counts["refused"]) > file_count // 10
