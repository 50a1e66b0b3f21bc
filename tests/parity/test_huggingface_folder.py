"""Folders that transformers saves run directly, with transformers' logits."""

import json

import brisk
import numpy as np
import pytest
import reference
import tokenizers
import torch
import transformers

# Of the range of the reference's logits; f32 on both sides, sums in another order.
EXACT_BOUND = 1e-4
ROPE_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128,
}
CONFIGS = {
    "plain": {},
    "tied": {"tie_word_embeddings": True},
    "llama3": {"rope_parameters": ROPE_LLAMA3, "num_key_value_heads": 1},
    "linear": {"rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}},
    "wide heads": {"head_dim": 96, "num_key_value_heads": 4},
}


@pytest.fixture(scope="module")
def small_tokenizer(articles):
    trained = tokenizers.Tokenizer(tokenizers.models.BPE())
    trained.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=600,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|begin|>", "<|end|>"],
        show_progress=False,
    )
    trained.train_from_iterator(articles[:20], trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=trained,
        bos_token="<|begin|>",
        eos_token="<|end|>",
        chat_template="{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}",
    )


def save(folder, tokenizer, dtype=torch.float32, shard_size="5GB", **changes):
    """A random Llama of two layers; returns its network in f32 with the weights as they were stored."""
    settings = {
        "vocab_size": len(tokenizer),
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
    }
    torch.manual_seed(20260005)
    network = transformers.LlamaForCausalLM(transformers.LlamaConfig(**(settings | changes)))
    for name, weight in network.named_parameters():
        # Larger than transformers' own start, so that attention is far from uniform.
        torch.nn.init.uniform_(weight, 0.5, 1.5) if "norm" in name else torch.nn.init.normal_(weight, 0, 0.08)
    network = network.to(dtype)
    network.save_pretrained(folder, max_shard_size=shard_size)
    tokenizer.save_pretrained(folder)
    network = network.float().eval()
    # The rotary frequencies are no weights: made anew, since they went through `dtype` too.
    network.model.rotary_emb = type(network.model.rotary_emb)(config=network.config)
    return network


def check(folder, network, count=300):
    ids = np.random.default_rng(5).integers(0, network.config.vocab_size, count).tolist()
    expected = reference.logits(network, ids)
    exact = brisk.load(str(folder), exact=True).logits(ids)
    difference = float(np.abs(expected - exact).max() / np.ptp(expected))
    kl = float(reference.kl_divergence(expected, brisk.load(str(folder)).logits(ids)).mean())
    print(f"\n{folder.name}: exact {difference:.2g} of the range, default mean KL {kl:.2g}")
    assert difference <= EXACT_BOUND
    assert kl <= 1e-3


@pytest.mark.parametrize("name", CONFIGS)
def test_random_llama(name, tmp_path, small_tokenizer):
    check(tmp_path, save(tmp_path, small_tokenizer, **CONFIGS[name]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_stored_types_and_shards(dtype, tmp_path, small_tokenizer):
    network = save(tmp_path, small_tokenizer, dtype=dtype, shard_size="600KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    check(tmp_path, network)


def test_text_parts(tmp_path, small_tokenizer, articles):
    save(tmp_path, small_tokenizer)
    ours = brisk.tokenizer(str(tmp_path))
    text = articles[30][:20000]
    assert ours.encode(text) == small_tokenizer(text).input_ids
    assert ours.decode(ours.encode(text)) == text
    assert ours.eos == small_tokenizer.eos_token_id
    assert brisk.load(str(tmp_path)).tokenize(text) == small_tokenizer(text).input_ids


def test_smollm2_as_a_folder(tmp_path, model_file, tokens):
    """The built-in model, dequantised and saved by transformers: 540 MB of f32 in parts."""
    network = model_file.network()
    network.save_pretrained(tmp_path, max_shard_size="100MB")
    transformers.PreTrainedTokenizerFast(tokenizer_object=model_file.tokenizer()).save_pretrained(tmp_path)
    expected = reference.logits(network, tokens[:500])
    got = brisk.load(str(tmp_path), exact=True).logits(tokens[:500])
    assert float(np.abs(expected - got).max()) <= 2e-3


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "changes, named",
    [
        ({"architectures": ["NoSuchModel"]}, ["NoSuchModel", "LlamaForCausalLM"]),
        ({"architectures": None}, ["architectures", "LlamaForCausalLM"]),
        ({"num_hidden_layers": 3}, ["blk.2"]),
        ({"num_hidden_layers": 1}, ["blk.1"]),
        ({"hidden_size": 128}, ["token_embd"]),
        ({"hidden_act": "gelu"}, ["hidden_act", "gelu"]),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 2.0}}, ["rope_type", "yarn"]),
        ({"num_attention_heads": 0}, ["num_attention_heads"]),
        ({"num_attention_heads": -4}, ["num_attention_heads", "-4"]),
        ({"vocab_size": "many"}, ["vocab_size", "many"]),
        ({"attention_bias": True}, ["attention_bias"]),
        ({"sliding_window": 64}, ["sliding_window"]),
        ({"quantization_config": {"quant_method": "nonsense"}}, ["nonsense"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_contradictions_are_named(changes, named, tmp_path, small_tokenizer):
    save(tmp_path, small_tokenizer)
    edit_config(tmp_path, **changes)
    with pytest.raises(brisk.Error) as error:
        brisk.load(str(tmp_path))
    for word in named:
        assert word in str(error.value)


def test_missing_parts_are_named(tmp_path, small_tokenizer):
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        folder = tmp_path / name
        save(folder, small_tokenizer)
        (folder / name).unlink()
        with pytest.raises(brisk.Error) as error:
            brisk.load(str(folder))
        assert name.split(".")[0] in str(error.value)
