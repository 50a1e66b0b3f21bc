"""Writes a GGUF file of a given shape with random Q4_0 weights, for measurements of speed and memory.

    bench/model/make_random_model.py bench/shapes/llama-3.2-1b.json OUT.gguf [--seed N]

The scales are chosen so that activations keep their size from layer to layer, as in a trained model. The
vocabulary holds the 256 bytes; the rest are fillers that no text becomes.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np

BLOCK = 32  # values of a Q4_0 block: an f16 scale and 16 bytes of two codes each, code - 8 times the scale
CODE_DEVIATION = 4.6  # of codes drawn evenly from -8..7


def byte_names():
    """The printable characters that stand for the 256 bytes in byte-level BPE vocabularies."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    names = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        names.setdefault(byte, chr(256 + len(names) - len(printable)))
    return [names[byte] for byte in range(256)]


def random_q4_0(random, rows, width):
    blocks = np.empty((rows, width // BLOCK, 18), np.uint8)
    scale = np.float16(1.0 / (CODE_DEVIATION * np.sqrt(width)))
    blocks[:, :, :2] = np.frombuffer(scale.tobytes(), np.uint8)
    blocks[:, :, 2:] = random.integers(0, 256, (rows, width // BLOCK, 16), np.uint8)
    return blocks.reshape(rows, -1)


def add_metadata(writer, shape):
    writer.add_name(f"random {shape['layers']} x {shape['width']}")
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_block_count(shape["layers"])
    writer.add_feed_forward_length(shape["ffn"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["kv_heads"])
    writer.add_rope_dimension_count(shape["head_dim"])
    writer.add_rope_freq_base(shape["rope_base"])
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = byte_names()
    tokens += [f"<filler {i}>" for i in range(len(tokens), shape["vocabulary"])]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * 256 + [4] * (len(tokens) - 256))
    writer.add_token_merges([])


def tensor_shapes(shape):
    width, ffn = shape["width"], shape["ffn"]
    q, kv = shape["heads"] * shape["head_dim"], shape["kv_heads"] * shape["head_dim"]
    yield "token_embd.weight", (shape["vocabulary"], width)
    for layer in range(shape["layers"]):
        prefix = f"blk.{layer}."
        yield prefix + "attn_norm.weight", (width,)
        yield prefix + "attn_q.weight", (q, width)
        yield prefix + "attn_k.weight", (kv, width)
        yield prefix + "attn_v.weight", (kv, width)
        yield prefix + "attn_output.weight", (width, q)
        yield prefix + "ffn_norm.weight", (width,)
        yield prefix + "ffn_gate.weight", (ffn, width)
        yield prefix + "ffn_up.weight", (ffn, width)
        yield prefix + "ffn_down.weight", (width, ffn)
    yield "output_norm.weight", (width,)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    shape = json.loads(arguments.shape.read_text())
    random = np.random.default_rng(arguments.seed)
    part = arguments.out.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "llama")
    add_metadata(writer, shape)
    for name, size in tensor_shapes(shape):
        if len(size) == 1:
            writer.add_tensor(name, np.ones(size, np.float32))
        else:
            writer.add_tensor(name, random_q4_0(random, *size), raw_dtype=gguf.GGMLQuantizationType.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file(progress=True)
    writer.close()
    part.rename(arguments.out)


if __name__ == "__main__":
    main()
