#!/usr/bin/env python3
"""Writes tests/data/tokenizers/digests.json: what llama.cpp makes of a text of many scripts.

    tokenizer_digests.py --llama libllama.so VOCABULARY.gguf... > tests/data/tokenizers/digests.json

The text is made from a seed, here and in tests/support/many_script_text.hpp alike.  For each vocabulary the
file records the number of ids and a digest (FNV-1a over the ids, 64 bits): `plain` without special tokens,
`special` with them added and recognised.  llama.cpp opens the files with vocab_only.  WordPiece (model
"bert") is the exception: llama.cpp leaves Hangul whole and keeps characters that BERT drops, so there Hugging
Face's `tokenizers` judges, and only `plain`.  The text has none of what the two are known to read otherwise
(docs/design/tokenizers.md lists it): control characters, U+3000.

Run with the commit of llama.cpp that the file names, tokenizers==0.23.3 and gguf.
"""

import argparse
import ctypes
import json
import pathlib

import gguf
import tokenizers

SEED = 5
BYTES = 2_000_000
LLAMA_COMMIT = "0c1e57098bba43ac29e6e3b677cdceebdd22334f"
MASK = (1 << 64) - 1

RANGES = [
    (0x00C0, 0x024F), (0x0250, 0x02AF), (0x0300, 0x036F), (0x0391, 0x03A1), (0x03B1, 0x03C9),
    (0x0410, 0x044F), (0x0561, 0x0586), (0x05D0, 0x05EA), (0x0620, 0x065F), (0x0905, 0x0939),
    (0x0985, 0x098C), (0x0B95, 0x0B95), (0x0E01, 0x0E3A), (0x0F40, 0x0F47), (0x1000, 0x102A),
    (0x10D0, 0x10FA), (0x1200, 0x1248), (0x1780, 0x17B3), (0x1E00, 0x1EFF), (0x2010, 0x2027),
    (0x2030, 0x205E), (0x20A0, 0x20BF), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2500, 0x257F),
    (0x2600, 0x26FF), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3),
    (0xFF01, 0xFF5E), (0x10400, 0x1044F), (0x1D400, 0x1D454), (0x1F300, 0x1F5FF), (0x1F600, 0x1F64F),
    (0x20000, 0x2A6D6),
]
SPACES = [" ", "\n", "\t", "\r\n"]
ODD_WORDS = [
    "don't", "we'll", "I'M", "they'Ve", "...", "!!!", "http://a.example/b?c=d&e=1", "e\u0301",
    "\U0001F469\u200D\U0001F469\u200D\U0001F467", "\U0001F1EB\U0001F1F7", "\u2026", "<0x41>", "<s>", "</s>",
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|user|>", "<|end|>", "<start_of_turn>", "[SEP]",
    "int main() { return 0; }", "snake_case_name", "CamelCaseName", "\u2581",
]


class ManyScriptText:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % n

    def any_of(self, table):
        return table[self.below(len(table))]

    def letters(self, first, last, count):
        return "".join(chr(first + self.below(last - first + 1)) for _ in range(count))

    def word(self):
        kind = self.below(100)
        if kind < 50:
            return self.letters(ord("a"), ord("z"), 1 + self.below(10))
        if kind < 55:
            return self.letters(ord("A"), ord("Z"), 1 + self.below(5))
        if kind < 80:
            first, last = self.any_of(RANGES)
            return self.letters(first, last, 1 + self.below(8))
        if kind < 86:
            return self.letters(ord("0"), ord("9"), 1 + self.below(7))
        if kind < 91:
            return self.letters(ord("!"), ord("/"), 1 + self.below(3))
        if kind < 95:
            return self.any_of(ODD_WORDS)
        space = self.any_of(SPACES)
        return space * (1 + self.below(6))

    def make(self, size):
        words, have = [], 0
        while have < size:
            word = self.word() + (" " if self.below(10) < 6 else "")
            words.append(word)
            have += len(word.encode())
        return "".join(words)


def digest(numbers):
    value = 0xCBF29CE484222325
    for number in numbers:
        value = ((value ^ int(number)) * 0x100000001B3) & MASK
    return f"{value:016x}"


class ModelParams(ctypes.Structure):
    """llama_model_params of that commit; only vocab_only is set here."""

    _fields_ = [
        ("devices", ctypes.c_void_p), ("tensor_buft_overrides", ctypes.c_void_p), ("n_gpu_layers", ctypes.c_int32),
        ("split_mode", ctypes.c_int), ("load_mode", ctypes.c_int), ("lazy_mode", ctypes.c_int),
        ("main_gpu", ctypes.c_int32), ("tensor_split", ctypes.c_void_p), ("progress", ctypes.c_void_p),
        ("progress_data", ctypes.c_void_p), ("kv_overrides", ctypes.c_void_p), ("vocab_only", ctypes.c_bool),
        ("check_tensors", ctypes.c_bool), ("use_extra_bufts", ctypes.c_bool), ("no_host", ctypes.c_bool),
        ("no_alloc", ctypes.c_bool), ("load_mtp", ctypes.c_bool),
    ]


class Llama:
    def __init__(self, library, path):
        self.library = library
        params = library.llama_model_default_params()
        params.vocab_only = True
        model = library.llama_model_load_from_file(str(path).encode(), params)
        assert model, path
        self.vocabulary = library.llama_model_get_vocab(model)

    @staticmethod
    def open_library(path):
        library = ctypes.CDLL(path)
        library.llama_model_default_params.restype = ModelParams
        library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, ModelParams]
        library.llama_model_load_from_file.restype = ctypes.c_void_p
        library.llama_model_get_vocab.argtypes = [ctypes.c_void_p]
        library.llama_model_get_vocab.restype = ctypes.c_void_p
        library.llama_tokenize.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p,
                                           ctypes.c_int32, ctypes.c_bool, ctypes.c_bool]
        library.llama_backend_init()
        return library

    def encode(self, text, special):
        data = text.encode()
        ids = (ctypes.c_int32 * (len(data) + 16))()
        count = self.library.llama_tokenize(self.vocabulary, data, len(data), ids, len(ids), special, special)
        assert count >= 0
        return ids[:count]


def word_piece(path):
    """BERT's tokenizer from the tokens of a GGUF file, where words carry U+2581 and parts of words nothing."""
    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    names = [token if kind != 1 else token[1:] if token.startswith("\u2581") else "##" + token
             for token, kind in zip(tokens, types)]
    model = tokenizers.models.WordPiece({name: i for i, name in enumerate(names)}, unk_token="[UNK]",
                                        max_input_chars_per_word=10**9)
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return tokenizer


def record(ids):
    return {"count": len(ids), "digest": digest(ids)}


def row(path, text, library):
    model = gguf.GGUFReader(path).fields["tokenizer.ggml.model"].contents()
    if model == "bert":
        plain = word_piece(path).encode(text.replace("\u2581", ""), add_special_tokens=False).ids
        return {"file": path.name, "without": "\u2581", "plain": record(plain)}
    llama = Llama(library, path)
    return {"file": path.name, "plain": record(llama.encode(text, False)),
            "special": record(llama.encode(text, True))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llama", required=True, help="libllama.so")
    parser.add_argument("vocabularies", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    library = Llama.open_library(arguments.llama)
    text = ManyScriptText(SEED).make(BYTES)
    result = {
        "made_by": "tools/oracles/tokenizer_digests.py",
        "llama.cpp": LLAMA_COMMIT,
        "tokenizers": tokenizers.__version__,
        "text": {"seed": SEED, "bytes": BYTES, "digest": digest(text.encode())},
        "vocabularies": [row(path, text, library) for path in arguments.vocabularies],
    }
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
