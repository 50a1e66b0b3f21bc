"""The reference side of the parity tests: transformers, tokenizers and gguf on the same model file.

The network is transformers' LlamaForCausalLM in f32 on the weights of the GGUF file, dequantised by gguf.
A GGUF file stores the rows of q and k so that rotary embedding turns neighbouring values; transformers
turns values half a head apart, so those rows are put back in its order.
"""

import bz2
import re

import gguf
import numpy as np
import tokenizers
import torch
import transformers

# Our name of a part -> transformers' name, for each layer ...
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
# ... and outside the layers.
NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


class ModelFile:
    """A GGUF file as the `gguf` package reads it."""

    def __init__(self, path):
        self.reader = gguf.GGUFReader(path)

    def get(self, key):
        return self.reader.fields[key].contents()

    def config(self):
        tied = all(tensor.name != "output.weight" for tensor in self.reader.tensors)
        return transformers.LlamaConfig(
            vocab_size=len(self.get("tokenizer.ggml.tokens")),
            hidden_size=self.get("llama.embedding_length"),
            intermediate_size=self.get("llama.feed_forward_length"),
            num_hidden_layers=self.get("llama.block_count"),
            num_attention_heads=self.get("llama.attention.head_count"),
            num_key_value_heads=self.get("llama.attention.head_count_kv"),
            max_position_embeddings=self.get("llama.context_length"),
            rms_norm_eps=self.get("llama.attention.layer_norm_rms_epsilon"),
            rope_parameters={"rope_type": "default", "rope_theta": self.get("llama.rope.freq_base")},
            tie_word_embeddings=tied,
            hidden_act="silu",
        )

    def state_dict(self, config):
        return {
            transformers_name(tensor.name): torch.from_numpy(self._weight(tensor, config))
            for tensor in self.reader.tensors
        }

    @staticmethod
    def _weight(tensor, config):
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        part = tensor.name.split(".")[-2]
        if part == "attn_q":
            return halves_from_pairs(values, config.num_attention_heads)
        if part == "attn_k":
            return halves_from_pairs(values, config.num_key_value_heads)
        return values

    def network(self):
        config = self.config()
        with torch.device("meta"):
            network = transformers.LlamaForCausalLM(config)
        network = network.to_empty(device="cpu")
        weights = self.state_dict(config)
        if config.tie_word_embeddings:
            weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
        network.load_state_dict(weights, strict=True, assign=True)
        # The rotary frequencies are no weights: made anew, since to_empty() left them undefined.
        network.model.rotary_emb = type(network.model.rotary_emb)(config=config)
        return network.float().eval()

    def tokenizer(self):
        """Byte-level BPE as transformers builds it for this family: digits alone, then GPT-2's words."""
        vocabulary = {token: index for index, token in enumerate(self.get("tokenizer.ggml.tokens"))}
        merges = [tuple(merge.split(" ", 1)) for merge in self.get("tokenizer.ggml.merges")]
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=merges))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
            [
                tokenizers.pre_tokenizers.Digits(individual_digits=True),
                tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
        tokenizer.decoder = tokenizers.decoders.ByteLevel()
        types = self.get("tokenizer.ggml.token_type")
        control = [token for token, index in vocabulary.items() if types[index] == gguf.TokenType.CONTROL]
        tokenizer.add_special_tokens([tokenizers.AddedToken(token, normalized=False) for token in control])
        return tokenizer


def transformers_name(name):
    parts = name.removesuffix(".weight").split(".")
    if parts[0] == "blk":
        return f"model.layers.{parts[1]}.{LAYER_NAMES[parts[2]]}.weight"
    return f"{NAMES[parts[0]]}.weight"


def halves_from_pairs(weight, heads):
    """Rows (pair, half) of each head -> rows (half, pair)."""
    rows, width = weight.shape
    return np.ascontiguousarray(weight.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2)).reshape(rows, width)


@torch.inference_mode()
def logits(network, ids):
    """Teacher-forced logits, float32 [len(ids), vocabulary]."""
    return network(torch.tensor([ids])).logits[0].numpy()


def kl_divergence(reference, other):
    """KL(reference || other) of each row, computed in f64."""
    p = torch.log_softmax(torch.from_numpy(reference).double(), dim=-1)
    q = torch.log_softmax(torch.from_numpy(other).double(), dim=-1)
    return (p.exp() * (p - q)).sum(dim=-1).numpy()


def wikipedia_articles(path):
    """The running text of the dump's articles, markup stripped simply; redirects are left out."""
    dump = bz2.decompress(path.read_bytes()).decode("utf-8")
    for source in re.findall(r"<text[^>]*>(.*?)</text>", dump, re.DOTALL):
        if not source.startswith("#REDIRECT"):
            yield strip_markup(source)


def strip_markup(source):
    text = source.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    text = re.sub(r"<!--.*?-->|<ref[^>]*/>|<ref.*?</ref>|<math.*?</math>", "", text, flags=re.DOTALL)
    inner = r"\{\{[^{}]*\}\}|\{\|[^{}]*\|\}|\[\[(?:File|Image|Category):[^\[\]]*\]\]"
    while (shorter := re.sub(inner, "", text)) != text:
        text = shorter
    text = re.sub(r"\[\[(?:[^|\[\]]*\|)?([^\[\]]*)\]\]", r"\1", text)
    text = re.sub(r"\[https?://\S+ ?([^\]]*)\]|<[^>]*>|'{2,}", r"\1", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
