"""The separate small model for contrastive decoding beside a real one: no small model with its tokenizer ships in any
package, so we cut one out. It is a few blocks of the model under its own embedding, final norm and head; the blocks
and the norm are then tuned on Wikipedia text for some minutes. It is a weak language model, and reports say so.
"""

import gguf
import numpy as np
import torch
import torch.nn.functional as F

from train import Llama


def settings_of(reader, blocks):
    """recipe.toml's [model] as the file's keys say it."""

    def get(key):
        return reader.fields[f"llama.{key}"].contents()

    return {
        "layers": blocks,
        "width": get("embedding_length"),
        "heads": get("attention.head_count"),
        "kv_heads": get("attention.head_count_kv"),
        "ffn": get("feed_forward_length"),
        "rope_base": get("rope.freq_base"),
        "norm_epsilon": get("attention.layer_norm_rms_epsilon"),
    }


def cut(reader, blocks):
    """The network of the blocks named, in f32; the embedding, which is the head too, does not learn."""
    weights = {
        tensor.name: torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
        for tensor in reader.tensors
    }
    model = Llama(settings_of(reader, len(blocks)), weights["token_embd.weight"].shape[0])
    weights.setdefault("output.weight", weights["token_embd.weight"])
    model.load_state_dict({name: weights[source_name(name, blocks)] for name in model.state_dict()})
    model.token_embd.requires_grad_(False)
    model.output.requires_grad_(False)
    return model


def source_name(name, blocks):
    """blk.1.attn_q.weight -> that of the source's block which became the second one."""
    parts = name.split(".")
    if parts[0] == "blk":
        parts[1] = str(blocks[int(parts[1])])
    return ".".join(parts)


def tune(model, tokens, settings, log=print):
    """Next-token training on rows drawn from the text; returns the losses of the first and the last steps."""
    torch.manual_seed(27)
    rng = np.random.default_rng(27)
    tokens = torch.tensor(tokens)
    learnable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnable, lr=settings["learning_rate"], betas=(0.9, 0.98), weight_decay=0.01)
    losses = []
    for step in range(settings["steps"]):
        optimizer.param_groups[0]["lr"] = settings["learning_rate"] * rate(step, settings)
        starts = rng.integers(len(tokens) - settings["row_tokens"], size=settings["rows"])
        rows = torch.stack([tokens[start : start + settings["row_tokens"] + 1] for start in starts])
        loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnable, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 20 == 0:
            log(f"companion: step {step}, loss {losses[-1]:.3f}")
    few = max(1, len(losses) // 10)
    return {"first_loss": sum(losses[:few]) / few, "last_loss": sum(losses[-few:]) / few}


def rate(step, settings):
    """Linear warm-up, then linear decay to nothing."""
    left = (settings["steps"] - step) / settings["steps"]
    return min((step + 1) / settings["warmup_steps"], left)


def export(model, reader, path):
    """A GGUF file with the source's keys and tokenizer, its embedding as it is stored, the tuned blocks in f16."""
    writer = gguf.GGUFWriter(path, "llama")
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type", "llama.block_count"):
            continue
        sub_type = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type)
    writer.add_block_count(len(model.blk))
    for tensor in reader.tensors:
        if tensor.name in ("token_embd.weight", "output.weight"):
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            writer.add_tensor(name, stored(weight.detach().numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def stored(weight):
    """Matrices in f16, vectors in f32."""
    return np.ascontiguousarray(weight, dtype=np.float16 if weight.ndim > 1 else np.float32)


def make(source, tokens, settings, path, log=print):
    """Writes the companion of the model file `source`, tuned on token ids; returns what the report says of it."""
    reader = gguf.GGUFReader(source)
    model = cut(reader, settings["blocks"])
    figures = tune(model, tokens, settings, log)
    export(model, reader, path)
    return figures | {"blocks": settings["blocks"], "training_tokens": len(tokens)}
