"""Character maps as SentencePiece precompiles them: its own, and small ones built here."""

import functools
import io
import struct


def fields(message):
    """The fields of a protobuf message: (number, value) where the value is bytes or an integer."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = varint() if key & 7 == 2 else 4
            yield key >> 3, message[at : at + size]
            at += size


@functools.cache
def sentencepiece_map(rule):
    """The map of a rule that SentencePiece names, taken out of a model trained on a few words."""
    import sentencepiece

    model = io.BytesIO()
    words = [f"some words {i} of text" for i in range(500)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(words), model_writer=model, vocab_size=30, normalization_rule_name=rule,
        model_type="unigram", minloglevel=2, hard_vocab_limit=False)
    normalizer = next(value for number, value in fields(model.getvalue()) if number == 3)
    return next(value for number, value in fields(normalizer) if number == 2)


def all_maps():
    own = build({b"ab": "X", b"abc": "Y", "é".encode(): "e", "か\u3099".encode(): "が", b"\r": "", b"q": "qq"})
    return {rule: sentencepiece_map(rule) for rule in ("nmt_nfkc", "nmt_nfkc_cf")} | {"own": own}


def build(replacements):
    """A map from a dict of bytes to strings. Every byte of a key gets a block of 256 units: simple, not small."""
    texts, values = b"", {}
    for key, replacement in replacements.items():
        values[key] = len(texts)
        texts += replacement.encode() + b"\0"
    prefixes = sorted({key[:i] for key in values for i in range(len(key) + 1)}, key=len)
    block = {prefix: 256 * (1 + i) for i, prefix in enumerate(prefixes)}
    units = [0] * (256 * (1 + len(prefixes)))
    place = {b"": 0}
    for prefix in prefixes:
        if prefix:
            place[prefix] = block[prefix[:-1]] ^ prefix[-1]
        label = prefix[-1] if prefix else 0
        offset = place[prefix] ^ block[prefix]
        wide = offset >= 1 << 21
        units[place[prefix]] = label | (prefix in values) << 8 | wide << 9 | (offset >> 8 if wide else offset) << 10
        if prefix in values:
            units[block[prefix]] = values[prefix] | 1 << 31
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + texts
