"""Writes the seed corpora of two fuzz targets: safetensors files, and saved sequences of keys and values.

    python tools/oracles/safetensors_seeds.py [FOLDER]        (default tests/fuzz/corpus)

Needs nothing but Python. The layouts are described in src/formats/safetensors/safetensors.hpp and
src/runtime/kv_snapshot.hpp; the groups are those of tests/fuzz/kv_snapshot_fuzz.cpp, which puts the right
checksum into what it is given.
"""

import json
import pathlib
import struct
import sys

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1, "F8_E4M3": 1}
ODD_FORMS = (
    '\n{"__metadata__":null,"list":["U8",[0],[0,0]],"object":{"dtype":{"F4":null},"shape":[2],"data_offsets":[0,1]},'
    '"\\ud83d\\ude00":{"data_offsets":[1,2],"x":[{"y":-1e3}],"shape":[],"dtype":"I8"}} '
)
INDEX = {"metadata": {"total_size": 2, "x": [1]}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
PAGE_TOKENS = 32


def file(tensors, metadata=None, pad=8):
    """Tensors are (name, dtype, shape, data)."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, dtype, shape, content in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % pad)
    return struct.pack("<Q", len(text)) + text + data


def raw(header, data):
    return struct.pack("<Q", len(header.encode())) + header.encode() + data


def tensor(name, dtype, shape):
    count = BYTES[dtype]
    for size in shape:
        count *= size
    return name, dtype, shape, bytes(i % 251 for i in range(count))


def numbers(name, values):
    return name, "I32", [len(values)], struct.pack(f"<{len(values)}i", *values)


def safetensors_seeds():
    return {
        "empty": file([]),
        "metadata": file([], {"format": "pt", "": "\u00e9"}),
        "types": file([tensor(f"t.{name}", name, [2]) for name in BYTES]),
        "shapes": file([tensor("scalar", "F32", []), tensor("none", "F32", [3, 0]),
                        tensor("deep", "U8", [1, 2, 3, 1])]),
        "gap": file([tensor("a", "U8", [8])]) + b"behind",
        "unpadded": file([tensor("a", "U8", [3])], pad=1),
        "unaligned": file([tensor("a", "U8", [1]), tensor("b", "F64", [1])], pad=1),
        "odd_forms": raw(ODD_FORMS, b"\0\1"),
        "replaced": raw('{"a":{"dtype":"U8","shape":[9],"data_offsets":[5,0]},"\\u0061":["U8",[1],[0,1]]}', b"\0"),
        "index": json.dumps(INDEX).encode(),
        "twice": struct.pack("<Q", 128) + (b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},'
                                           b'"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}').ljust(128),
    }


def plain_layout(name, kind, layers, kv_heads, dtype, **more):
    half = PAGE_TOKENS * BYTES[dtype]
    return {"name": name, "kind": kind, "layers": layers, **more, "type": dtype, "kv_heads": kv_heads, "k_dim": 1,
            "v_dim": 1, "page_tokens": PAGE_TOKENS, "page_bytes": 2 * half, "value_offset": half,
            "keys": {"order": ["tile", "dim", "lane"], "lanes": 16}, "values": {"order": ["entry", "dim"]}}


FULL = plain_layout("full", "full", [0, 2], 2, "F16")
WINDOW = plain_layout("window", "window", [1], 1, "F32", window=8)
STATE = {"name": "state", "kind": "recurrent", "layers": [3], "state_bytes": 4}


def snapshot(length, layout, tensors):
    record = {"version": 1, "fingerprint": "model", "tokens": length, "length": length, "layout": layout}
    return file([numbers("tokens", [i % 50 for i in range(length)])] + tensors, {"brisk.kv": json.dumps(record)})


def pages(layer, count, page_bytes):
    return tensor(f"layer.{layer}.pages", "U8", [count, page_bytes])


def snapshot_seeds():
    return {
        "nothing": snapshot(0, [FULL], [pages(0, 0, 128), pages(2, 0, 128)]),
        "uniform": snapshot(3, [FULL], [pages(0, 2, 128), pages(2, 2, 128)]),
        "ragged": snapshot(3, [FULL], [numbers("layer.2.entries", [2, 1]), numbers("layer.2.positions", [0, 2, 1]),
                                       pages(0, 2, 128), pages(2, 2, 128)]),
        "window": snapshot(45, [WINDOW], [pages(1, 1, 256)]),
        "state": snapshot(1, [STATE], [tensor("layer.3.state", "U8", [4])]),
        "tokens": snapshot(100, [STATE], [tensor("layer.3.state", "U8", [4])]),
        "groups": snapshot(2, [FULL, WINDOW, STATE], [pages(0, 2, 128), pages(2, 2, 128), pages(1, 1, 256),
                                                      tensor("layer.3.state", "U8", [4])]),
        "no_record": file([numbers("tokens", [1])], {"other": "x"}),
    }


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/fuzz/corpus")
    for name, seeds in (("safetensors", safetensors_seeds()), ("kv_snapshot", snapshot_seeds())):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed, content in seeds.items():
            (folder / seed).write_bytes(content)
        print(f"{len(seeds)} files in {folder}")


if __name__ == "__main__":
    main()
