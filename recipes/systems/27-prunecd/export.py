"""Writes a trained miniature as a GGUF file that Brisk and every other reader of the `llama` architecture runs."""

import gguf
import numpy as np

from facts import BEGIN, BYTES


def byte_tokens():
    """The 256 bytes in the alphabet of byte-level BPE: printable bytes stand for themselves, the others, in order,
    for the code points from 256 up."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(BYTES)]


def add_vocabulary(writer, world):
    """Bytes, then the world's words, each with the space before it (which the alphabet writes as U+0120). There are
    no merges: items give token ids, and text would be read byte by byte."""
    tokens = byte_tokens() + [word if word == BEGIN else f"\u0120{word}" for word in world.words]
    types = [gguf.TokenType.CONTROL if token == BEGIN else gguf.TokenType.NORMAL for token in tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([])
    writer.add_bos_token_id(world.ids[BEGIN])
    writer.add_eos_token_id(world.ids[BEGIN])
    writer.add_add_bos_token(False)


def add_settings(writer, settings, context):
    head_dim = settings["width"] // settings["heads"]
    writer.add_block_count(settings["layers"])
    writer.add_context_length(context)
    writer.add_embedding_length(settings["width"])
    writer.add_feed_forward_length(settings["ffn"])
    writer.add_head_count(settings["heads"])
    writer.add_head_count_kv(settings["kv_heads"])
    writer.add_layer_norm_rms_eps(settings["norm_epsilon"])
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(settings["rope_base"])


def export(model, world, path, name, context=256):
    """Writes the model in f32, the numbers that were trained; parameters already carry GGUF's names."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    add_settings(writer, model.settings, context)
    add_vocabulary(writer, world)
    for name, weight in model.named_parameters():
        writer.add_tensor(name, np.ascontiguousarray(weight.detach().numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
