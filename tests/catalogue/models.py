"""Tiny valid models that the cases change: a Llama of two layers and width 64 over the 256 bytes, as a GGUF
file and as a Hugging Face folder. Written field by field, so that any field can lie.
"""

import copy
import functools
import json
import random
import struct

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD_DIM, FFN, CONTEXT = 2, 64, 4, 2, 16, 128, 512

CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TYPE_F32, TYPE_Q8_0 = 0, 8

CONTROL = ["<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_alphabet():
    """The character that byte-level BPE writes for each byte."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(others)) for byte in range(256)]


TOKENS = byte_alphabet() + CONTROL
VOCABULARY = len(TOKENS)


# --- Weights ---


def layer_shapes(layer):
    """GGUF's names and shapes, outermost first, of one layer."""
    p = f"blk.{layer}."
    return {
        p + "attn_norm.weight": [WIDTH],
        p + "attn_q.weight": [HEADS * HEAD_DIM, WIDTH],
        p + "attn_k.weight": [KV_HEADS * HEAD_DIM, WIDTH],
        p + "attn_v.weight": [KV_HEADS * HEAD_DIM, WIDTH],
        p + "attn_output.weight": [WIDTH, HEADS * HEAD_DIM],
        p + "ffn_norm.weight": [WIDTH],
        p + "ffn_gate.weight": [FFN, WIDTH],
        p + "ffn_up.weight": [FFN, WIDTH],
        p + "ffn_down.weight": [WIDTH, FFN],
    }


def shapes():
    found = {"token_embd.weight": [VOCABULARY, WIDTH], "output_norm.weight": [WIDTH]}
    for layer in range(LAYERS):
        found |= layer_shapes(layer)
    return found


FOLDER_NAMES = {
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip


def folder_name(name):
    parts = name.split(".")
    if parts[0] == "blk":
        return f"model.layers.{parts[1]}.{FOLDER_NAMES[parts[2]]}.weight"
    return FOLDER_NAMES[parts[0]] + ".weight"


@functools.cache
def values_of(name):
    """Norms are 1, matrices small random numbers."""
    shape = shapes()[name]
    count = 1
    for size in shape:
        count *= size
    if len(shape) == 1:
        return struct.pack(f"<{count}f", *[1.0] * count)
    numbers = random.Random(name)
    return struct.pack(f"<{count}f", *(numbers.uniform(-0.2, 0.2) for _ in range(count)))


# --- GGUF ---


class Lie(bytes):
    """Bytes that stand in the file as they are, in place of a count, a length or a value."""


def number(code, value):
    return value if isinstance(value, Lie) else struct.pack("<" + code, value)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return data if isinstance(data, Lie) else struct.pack("<Q", len(data)) + data


def value_bytes(kind, value):
    if isinstance(value, Lie):
        return value
    if kind == STRING:
        return text(value)
    if kind == ARRAY:
        element, items = value
        return struct.pack("<IQ", element, len(items)) + b"".join(
            value_bytes(element, item) for item in items
        )
    return struct.pack("<" + CODES[kind], value)


class Gguf:
    """A GGUF file as lists; every entry may be replaced, by a Lie where it is to be wrong.

    keys     [name, type, value]; the value of an array is (type of elements, items)
    tensors  [name, dimensions innermost first, type, offset, data]; an offset of None is the next free one
    """

    def __init__(self, keys, tensors):
        self.magic, self.version = b"GGUF", 3
        self.keys, self.tensors = keys, tensors
        self.key_count = self.tensor_count = None
        self.alignment = 32

    def copy(self):
        return copy.deepcopy(self)

    def set(self, name, kind, value):
        """Replaces the key, or adds it."""
        for key in self.keys:
            if key[0] == name:
                key[1:] = [kind, value]
                return self
        self.keys.append([name, kind, value])
        return self

    def remove(self, name):
        self.keys = [key for key in self.keys if key[0] != name]
        return self

    def tensor(self, name):
        return next(tensor for tensor in self.tensors if tensor[0] == name)

    def header(self):
        tensors = len(self.tensors) if self.tensor_count is None else self.tensor_count
        keys = len(self.keys) if self.key_count is None else self.key_count
        out = [self.magic, number("I", self.version), number("Q", tensors), number("Q", keys)]
        out += [text(name) + number("I", kind) + value_bytes(kind, value) for name, kind, value in self.keys]
        place = 0
        for name, dims, kind, offset, data in self.tensors:
            out.append(text(name))
            out.append(dims if isinstance(dims, Lie) else struct.pack(f"<I{len(dims)}Q", len(dims), *dims))
            out.append(number("I", kind) + number("Q", place if offset is None else offset))
            place += len(data) + -len(data) % self.alignment
        return b"".join(out)

    def data(self):
        """The whole file."""
        out = bytearray(self.header())
        for *_, data in self.tensors:
            out += bytes(-len(out) % self.alignment) + data
        return bytes(out)


def gguf_keys(tokens, types, pre="gpt-2"):
    return [
        ["general.architecture", STRING, "llama"],
        ["general.name", STRING, "tiny"],
        ["llama.block_count", U32, LAYERS],
        ["llama.context_length", U32, CONTEXT],
        ["llama.embedding_length", U32, WIDTH],
        ["llama.feed_forward_length", U32, FFN],
        ["llama.attention.head_count", U32, HEADS],
        ["llama.attention.head_count_kv", U32, KV_HEADS],
        ["llama.attention.layer_norm_rms_epsilon", F32, 1e-5],
        ["llama.rope.dimension_count", U32, HEAD_DIM],
        ["tokenizer.ggml.model", STRING, "gpt2"],
        ["tokenizer.ggml.pre", STRING, pre],
        ["tokenizer.ggml.tokens", ARRAY, (STRING, list(tokens))],
        ["tokenizer.ggml.token_type", ARRAY, (I32, list(types))],
        ["tokenizer.ggml.merges", ARRAY, (STRING, [])],
        ["tokenizer.ggml.eos_token_id", U32, VOCABULARY - 1],
        ["tokenizer.chat_template", STRING, TEMPLATE],
    ]


def tiny_gguf():
    types = [1] * 256 + [3] * len(CONTROL)
    tensors = [[name, shape[::-1], TYPE_F32, None, values_of(name)] for name, shape in shapes().items()]
    return Gguf(gguf_keys(TOKENS, types), tensors)


def vocabulary_gguf(tokens, types=None, scores=None, **keys):
    """A file with a vocabulary and no tensors, which is all that `tokenize` reads. Keys: model="llama"."""
    file = Gguf(gguf_keys(tokens, types or [1] * len(tokens)), [])
    file.remove("tokenizer.ggml.eos_token_id")
    if scores is not None:
        file.set("tokenizer.ggml.scores", ARRAY, (F32, list(scores)))
    for name, value in keys.items():
        file.set("tokenizer.ggml." + name, STRING, value)
    return file


# --- Hugging Face folders ---


def config():
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH,
        "intermediate_size": FFN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM, "max_position_embeddings": CONTEXT,
        "vocab_size": VOCABULARY, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": VOCABULARY - 1,
        "attention_bias": False, "mlp_bias": False, "rope_scaling": None, "sliding_window": None,
        "torch_dtype": "float32",
    }  # fmt: skip


def added_token(ident, content, **more):
    return {
        "id": ident, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
        "normalized": False, "special": True,
    } | more  # fmt: skip


def tokenizer():
    """tokenizer.json: byte-level BPE without merges."""
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [added_token(256 + i, content) for i, content in enumerate(CONTROL)],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
        "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(TOKENS[:256])}, "merges": [],
        },
    }  # fmt: skip


def dump(value):
    return json.dumps(value, ensure_ascii=False).encode()


def safetensors(tensors, metadata=None, types={}):
    """A file of tensors {name: (shape, bytes)}, F32 but for those in `types`."""
    header, data = {} if metadata is None else {"__metadata__": metadata}, b""
    for name, (shape, content) in tensors.items():
        header[name] = {
            "dtype": types.get(name, "F32"),
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    return with_header(json.dumps(header).encode(), data)


def with_header(header, data):
    return struct.pack("<Q", len(header)) + header + data


@functools.cache
def folder_tensors():
    return {folder_name(name): (shape, values_of(name)) for name, shape in shapes().items()}


def tiny_folder():
    """The files of a folder that works, by name."""
    return {
        "config.json": dump(config()),
        "tokenizer.json": dump(tokenizer()),
        "tokenizer_config.json": dump({"chat_template": TEMPLATE, "eos_token": CONTROL[1]}),
        "generation_config.json": dump({"eos_token_id": VOCABULARY - 1}),
        "model.safetensors": safetensors(folder_tensors(), {"format": "pt"}),
    }
