#!/usr/bin/env python3
"""Writes what the tests of DoLa compare with, from transformers' own DoLa.

    make_dola.py tests/data/dola

Three tiny random Llamas as GGUF files (untied.gguf and tied.gguf of 8 layers, deep.gguf of 42), and cases.json:

    select    rows of logits as transformers' selection gets them, the candidate it chooses, and its scores
    generate  greedy generation with `dola_layers`: the candidates' layers, tokens, the layer chosen for each
              token, and the scores of the tokens that the filter keeps

transformers takes an early exit's logits without the model's final norm; Brisk, and the paper's description,
with it.  So `generate` runs on a model that hands out its hidden states normed; everything else, the choice
of layers included, is transformers' code as it stands.  A case whose outcome hangs on rounding is refused:
choose another seed.

Run with torch==2.13.0, numpy, gguf==0.19.0 and transformers==4.53.3 (version 5 has no DoLa), which needs
tokenizers==0.21.4 and huggingface-hub==0.36.0.
"""

import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.generation import utils as generation

STEPS = 12
HEAD_DIM = 16
MODELS = {
    "untied": {"layers": 8, "width": 32, "heads": 2, "kv_heads": 1, "tied": False, "seed": 3},
    "tied": {"layers": 8, "width": 32, "heads": 2, "kv_heads": 2, "tied": True, "seed": 7},
    "deep": {"layers": 42, "width": 16, "heads": 1, "kv_heads": 1, "tied": True, "seed": 5},
}
SETTINGS = ["low", "high", [0, 3, 5], [4]]
PROMPT = [72, 101, 108, 108, 111, 32, 119, 111]


# --- The models --------------------------------------------------------------------------------------


class NormedExits(LlamaForCausalLM):
    """Hands out hidden states as the head wants them."""

    def forward(self, *args, **kwargs):
        out = super().forward(*args, **kwargs)
        if out.hidden_states is not None:  # the last one is normed already
            exits = [self.model.norm(state) for state in out.hidden_states[:-1]]
            out.hidden_states = (*exits, out.hidden_states[-1])
        return out


def byte_tokens():
    """The 256 bytes as byte-level BPE writes them, and an end token."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    names = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}
    return [names[b] for b in range(256)] + ["<|end|>"]


def make_network(shape):
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=shape["width"],
        intermediate_size=shape["width"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["kv_heads"],
        head_dim=HEAD_DIM,
        max_position_embeddings=256,
        rms_norm_eps=1e-5,
        rope_theta=10000.0,
        tie_word_embeddings=shape["tied"],
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=256,
    )
    network = NormedExits(config).eval()
    torch.manual_seed(shape["seed"])
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("norm.weight"):
                weight.uniform_(0.5, 1.5)
            elif "embed" in name or "lm_head" in name:
                weight.copy_(torch.randn_like(weight).half().float())
            else:
                weight.copy_((torch.randn_like(weight) * 1.5 / weight.shape[1] ** 0.5).half().float())
    return network


def pairs_from_halves(weight, heads):
    """Rows (half, pair) of each head -> rows (pair, half), which is how GGUF stores q and k."""
    rows, width = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)


LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def gguf_name(name):
    name = name.removesuffix(".weight")
    if name in NAMES:
        return NAMES[name] + ".weight"
    _, _, layer, part = name.split(".", 3)
    return f"blk.{layer}.{LAYER_NAMES[part]}.weight"


def write_gguf(network, path):
    config = network.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(path.stem)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(byte_tokens())
    writer.add_token_types([1] * 256 + [3])
    writer.add_token_merges([])
    writer.add_eos_token_id(256)
    for name, weight in network.state_dict().items():
        if config.tie_word_embeddings and name == "lm_head.weight":
            continue
        values = weight.numpy()
        if "q_proj" in name:
            values = pairs_from_halves(values, config.num_attention_heads)
        if "k_proj" in name:
            values = pairs_from_halves(values, config.num_key_value_heads)
        dtype = np.float32 if values.ndim == 1 else np.float16
        writer.add_tensor(gguf_name(name), np.ascontiguousarray(values.astype(dtype)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# --- The cases ---------------------------------------------------------------------------------------


def chosen_layer(layers, rows, final, result):
    """The one candidate with which alone transformers' selection gives the same."""
    same = [j for j in layers if torch.equal(SELECT([j], {j: rows[j]}, final.clone()), result)]
    assert len(same) == 1, "no one candidate explains the result"
    return same[0]


def check_clear(layers, rows, final, result):
    """Refuses what rounding could turn: the best token, the filter's edge, the layer."""
    best = result[0].topk(2).values
    assert best[0] - best[1] > 1e-3, "two tokens are level"
    edge = (final[0] - final[0].max() - np.log(0.1)).abs().min()
    assert edge > 1e-4, "a token lies at the filter's edge"
    if len(layers) > 1:
        p = final.double().softmax(-1)
        differs = []
        for j in layers:
            q = rows[j].double().softmax(-1)
            m = (p + q) / 2
            differs.append((m * (2 * m.log() - p.log() - q.log())).sum().item())
        first, second = sorted(differs, reverse=True)[:2]
        assert first - second > 1e-4 * first, "two layers are level"


def kept(result):
    tokens = torch.isfinite(result[0]).nonzero()[:, 0]
    return {"tokens": tokens.tolist(), "scores": [round(x, 7) for x in result[0][tokens].tolist()]}


SELECT = generation._dola_select_contrast


def select_cases():
    cases = []
    torch.manual_seed(1)
    for count, scale in [(1, 1.0), (1, 4.0), (2, 2.0), (4, 3.0), (7, 1.5)]:
        # Rounded, so that the file holds exactly what transformers saw.
        final = (torch.randn(1, 60) * scale * 64).round() / 64
        rows = {j: (torch.randn(1, 60) * (0.3 + j % 3) * 64).round() / 64 for j in range(count)}
        layers = list(rows)
        result = SELECT(layers, rows, final.clone())
        check_clear(layers, rows, final, result)
        cases.append({
            "final": final[0].tolist(),
            "exits": [rows[j][0].tolist() for j in layers],
            "chosen": chosen_layer(layers, rows, final, result),
            **kept(result),
        })
    return cases


def generate_case(network, name, setting):
    steps = []

    def watched(layers, rows, final):
        result = SELECT(layers, rows, final.clone())
        check_clear(layers, rows, final, result)
        steps.append({"candidates": layers, "chosen": chosen_layer(layers, rows, final, result), **kept(result)})
        return result

    generation._dola_select_contrast = watched
    prompt = torch.tensor([PROMPT])
    out = network.generate(prompt, attention_mask=torch.ones_like(prompt), dola_layers=setting, do_sample=False,
                           max_new_tokens=STEPS)
    generation._dola_select_contrast = SELECT
    tokens = out[0, len(PROMPT):].tolist()
    return {
        "model": name,
        "layers": setting if isinstance(setting, str) else ",".join(map(str, setting)),
        "candidates": steps[0]["candidates"],
        "prompt": PROMPT,
        "generated": tokens,
        "steps": [{key: step[key] for key in ("chosen", "tokens", "scores")} for step in steps],
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = {"select": select_cases(), "generate": []}
    for name, shape in MODELS.items():
        network = make_network(shape)
        write_gguf(network, folder / f"{name}.gguf")
        for setting in SETTINGS:
            cases["generate"].append(generate_case(network, name, setting))
            case = cases["generate"][-1]
            print(name, case["layers"], case["candidates"], [step["chosen"] for step in case["steps"]],
                  [len(step["tokens"]) for step in case["steps"]])
    (folder / "cases.json").write_text(json.dumps(cases, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
