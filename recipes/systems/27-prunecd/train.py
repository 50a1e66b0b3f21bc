"""Trains the facts miniature: a small Llama in PyTorch, on the CPU, from one seed, the same every time.

The network is the one that Brisk's `llama` architecture runs: RMS norms, rotary positions over neighbouring pairs
(2i, 2i + 1), grouped queries, SwiGLU, no biases, a head of its own.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    """x / sqrt(mean(x^2) + epsilon) * weight, over the last dimension."""

    def __init__(self, width, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], self.weight, self.epsilon)


def rope_angles(length, head_dim, base):
    """cos and sin, each [length, head_dim / 2]."""
    rates = base ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), rates)
    return angles.cos().float(), angles.sin().float()


def rotate(x, cos, sin):
    """Turns the pairs (2i, 2i + 1) of x [batch, heads, length, head_dim]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


class Block(nn.Module):
    def __init__(self, s):
        super().__init__()
        width, self.heads, self.kv_heads = s["width"], s["heads"], s["kv_heads"]
        self.head_dim = s.get("head_dim", width // self.heads)
        self.attn_norm = Norm(width, s["norm_epsilon"])
        self.attn_q = nn.Linear(width, self.heads * self.head_dim, bias=False)
        self.attn_k = nn.Linear(width, self.kv_heads * self.head_dim, bias=False)
        self.attn_v = nn.Linear(width, self.kv_heads * self.head_dim, bias=False)
        self.attn_output = nn.Linear(self.heads * self.head_dim, width, bias=False)
        self.ffn_norm = Norm(width, s["norm_epsilon"])
        self.ffn_gate = nn.Linear(width, s["ffn"], bias=False)
        self.ffn_up = nn.Linear(width, s["ffn"], bias=False)
        self.ffn_down = nn.Linear(s["ffn"], width, bias=False)

    def heads_of(self, x, heads):
        """[batch, length, heads * head_dim] -> [batch, heads, length, head_dim]"""
        return x.view(*x.shape[:2], heads, self.head_dim).transpose(1, 2)

    def attend(self, x, cos, sin):
        q = rotate(self.heads_of(self.attn_q(x), self.heads), cos, sin)
        k = rotate(self.heads_of(self.attn_k(x), self.kv_heads), cos, sin)
        v = self.heads_of(self.attn_v(x), self.kv_heads)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.attn_output(out.transpose(1, 2).flatten(2))

    def forward(self, x, cos, sin):
        x = x + self.attend(self.attn_norm(x), cos, sin)
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    """settings: recipe.toml's [model]; parameters carry the names that GGUF gives them."""

    def __init__(self, settings, vocabulary_size):
        super().__init__()
        self.settings = settings
        width = settings["width"]
        self.token_embd = nn.Embedding(vocabulary_size, width)
        self.blk = nn.ModuleList(Block(settings) for _ in range(settings["layers"]))
        self.output_norm = Norm(width, settings["norm_epsilon"])
        self.output = nn.Linear(width, vocabulary_size, bias=False)

    def start(self):
        """Random weights: matrices N(0, 0.02^2)-like by width, those that write to the residual stream smaller."""
        for name, weight in self.named_parameters():
            if weight.dim() < 2:
                continue
            spread = weight.shape[1] ** -0.5 if "token_embd" not in name else 0.5
            if "attn_output" in name or "ffn_down" in name:
                spread /= (2 * len(self.blk)) ** 0.5
            nn.init.normal_(weight, std=spread)
        return self

    def hidden(self, tokens):
        """[batch, length] -> [batch, length, width], before the head."""
        x = self.token_embd(tokens)
        cos, sin = rope_angles(tokens.shape[1], self.blk[0].head_dim, self.settings["rope_base"])
        for block in self.blk:
            x = block(x, cos, sin)
        return self.output_norm(x)

    def forward(self, tokens):
        """[batch, length] -> logits [batch, length, vocabulary]"""
        return self.output(self.hidden(tokens))


def pack(sentences, row_tokens, rng):
    """The sentences in a new order, one after the other, cut into rows [rows, row_tokens + 1] (inputs and targets
    overlap by one token); what does not fill a row is left out."""
    stream = np.concatenate([sentences[i] for i in rng.permutation(len(sentences))])
    rows = (len(stream) - 1) // row_tokens
    starts = np.arange(rows)[:, None] * row_tokens
    return torch.from_numpy(stream[starts + np.arange(row_tokens + 1)])


def item_scores(model, items):
    """Logits of each item's answers (one token each, the right one first): [items, answers]."""
    scores = torch.empty(len(items), 1 + len(items[0]["incorrect"]))
    by_length = {}
    for index, item in enumerate(items):
        by_length.setdefault(len(item["prompt"]), []).append(index)
    with torch.no_grad():
        for indices in by_length.values():
            logits = model.output(model.hidden(torch.tensor([items[i]["prompt"] for i in indices]))[:, -1])
            answers = torch.tensor([[a[0] for a in items[i]["correct"] + items[i]["incorrect"]] for i in indices])
            scores[indices] = logits.gather(1, answers)
    return scores


def accuracy(model, items):
    """Share of the items whose right answer has the highest logit of the answers offered."""
    return (item_scores(model, items).argmax(dim=1) == 0).float().mean().item()


def make_optimizer(model, settings):
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": settings["weight_decay"]}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings["learning_rate"], betas=(0.9, 0.98), fused=True)


def train(model_settings, vocabulary_size, sentences, settings, seed, probe, max_epochs, target, log=print):
    """Trains until probe(model) reaches the target or max_epochs are done; returns (model, log lines as objects).

    probe: model -> share of rare facts learnt; target None trains all epochs.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng([27, seed, 5])
    sentences = [np.asarray(sentence) for sentence in sentences]
    model = Llama(model_settings, vocabulary_size).start()
    optimizer = make_optimizer(model, settings)
    step, history, began = 0, [], time.monotonic()
    for epoch in range(max_epochs):
        rows = pack(sentences, settings["row_tokens"], rng)
        for first in range(0, len(rows) - settings["batch_rows"] + 1, settings["batch_rows"]):
            step += 1
            loss = train_step(model, optimizer, rows[first : first + settings["batch_rows"]], step, settings)
            if step % settings["probe_steps"] == 0:
                history.append({"step": step, "epoch": epoch, "loss": loss, "learnt": probe(model)})
                log(progress_line(history[-1], time.monotonic() - began))
                if target is not None and history[-1]["learnt"] >= target:
                    return model, history
    history.append({"step": step, "epoch": max_epochs, "loss": loss, "learnt": probe(model)})
    return model, history


def progress_line(entry, seconds):
    return f"step {entry['step']}: loss {entry['loss']:.3f}, {100 * entry['learnt']:.0f} % learnt, {seconds:.0f} s"


def train_step(model, optimizer, rows, step, settings):
    for group in optimizer.param_groups:
        group["lr"] = settings["learning_rate"] * min(1.0, step / settings["warmup_steps"])
    logits = model(rows[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip"])
    optimizer.step()
    return loss.item()
