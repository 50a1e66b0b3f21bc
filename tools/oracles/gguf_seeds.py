"""Writes the seed corpus of the GGUF fuzz target: small valid files, and some that are nearly valid.

    python tools/oracles/gguf_seeds.py [FOLDER]        (default tests/fuzz/corpus/gguf)

Needs nothing but Python. The layout is described in src/formats/gguf/gguf.hpp.
"""

import pathlib
import struct
import sys

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
CODES = {
    U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f",
    BOOL: "?", U64: "Q", I64: "q", F64: "d",
}
# Tensor type: (number, values per block, bytes per block).
TENSOR_TYPES = {
    "F32": (0, 1, 4), "F16": (1, 1, 2), "BF16": (30, 1, 2), "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20),
    "Q5_0": (6, 32, 22), "Q5_1": (7, 32, 24), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144),
    "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210), "I8": (24, 1, 1), "I32": (26, 1, 4),
}


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def value(type_, content):
    return text(content) if type_ == STRING else struct.pack("<" + CODES[type_], content)


def key(name, type_, content):
    return text(name) + struct.pack("<I", type_) + value(type_, content)


def array(name, element, contents):
    head = text(name) + struct.pack("<IIQ", ARRAY, element, len(contents))
    return head + b"".join(value(element, content) for content in contents)


def build(keys=(), tensors=(), version=3, alignment=32):
    """tensors: (name, type name, dims innermost first)."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys)) + b"".join(keys)
    data = b""
    for name, type_name, dims in tensors:
        number, block_values, block_bytes = TENSOR_TYPES[type_name]
        count = 1
        for dim in dims:
            count *= dim
        data += bytes(-len(data) % alignment)
        out += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, len(data))
        data += bytes(i * 7 % 251 for i in range(count // block_values * block_bytes))
    return out + bytes(-len(out) % alignment) + data


def seeds():
    block_count = key("llama.block_count", U32, 2)
    yield "empty", build()
    yield "v2", build([block_count], [("a", "F32", [4])], version=2)
    yield "numbers", build([key(f"k{type_}", type_, 1) for type_ in CODES])
    yield "text", build([key("general.architecture", STRING, "llama"), key("bytes", STRING, b"\xff\x00")])
    yield "arrays", build(
        [array(f"a{type_}", type_, [0, 1, 1]) for type_ in CODES] + [array("s", STRING, ["a", "", "\u20ac"])])
    yield "aligned", build(
        [key("general.alignment", U32, 64)], [("a", "F32", [3]), ("b", "F16", [2, 3])], alignment=64)
    yield "llama", build(
        [key("general.architecture", STRING, "llama"), block_count, key("llama.embedding_length", U32, 64),
         key("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
         key("tokenizer.ggml.add_bos_token", BOOL, False),
         array("tokenizer.ggml.tokens", STRING, ["a", "b", "ab"]),
         array("tokenizer.ggml.token_type", I32, [1, 1, 3])],
        [("token_embd.weight", "Q8_0", [64, 3]), ("output_norm.weight", "F32", [64])])
    for type_name, (_, block_values, _) in TENSOR_TYPES.items():
        yield f"type_{type_name.lower()}", build([block_count], [("t", type_name, [block_values, 2])])
    yield "overlap", build([], [("a", "F32", [8]), ("b", "F32", [8])]).replace(
        struct.pack("<IQ", 0, 32), struct.pack("<IQ", 0, 0))
    yield "big_endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0)
    yield "nested", build([text("n") + struct.pack("<IIQIQB", ARRAY, ARRAY, 1, U8, 1, 5)])
    yield "duplicate", build([block_count, block_count])
    yield "huge_count", b"GGUF" + struct.pack("<IQQ", 3, 1 << 61, 1 << 63)


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "tests/fuzz/corpus/gguf"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (folder / name).write_bytes(data)
    print(f"{len(list(folder.iterdir()))} files in {folder}")


if __name__ == "__main__":
    main()
