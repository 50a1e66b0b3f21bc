"""DoLa on a real model: teacher-forced scores against transformers' hidden states and DoLa's formulas.

tests/unit/runtime/dola_test.cpp compares with transformers' own DoLa on tiny models (tools/oracles/make_dola.py).
"""

import contrasts
import pytest
import torch

TOKENS = 100
TOLERANCE = 1e-3  # f32 sums in another order; 2e-4 was seen


@pytest.fixture(scope="module")
def network(model_file):
    return model_file.network()


@pytest.fixture(scope="module")
def states(network, tokens):
    """What enters each layer, and at the end what the head gets: [n, width] each."""
    with torch.inference_mode():
        out = network.model(torch.tensor([tokens[:TOKENS]]), output_hidden_states=True)
    return [state[0] for state in out.hidden_states]


def exit_log_probs(network, state):
    with torch.inference_mode():
        return contrasts.log_probs(network.lm_head(network.model.norm(state)))


def choose(expert, exits):
    """The exit that differs most at each position, and whether that is clear."""
    p = expert.exp()
    differs = []
    for log_q in exits:
        m = (p + log_q.exp()) / 2
        differs.append((m * (2 * m.clamp(min=1e-300).log() - expert - log_q)).sum(dim=-1))
    differs = torch.stack(differs)
    best = differs.topk(min(2, len(exits)), dim=0)
    gap = best.values[0] - best.values[-1]
    clear = gap > 1e-3 * best.values[0] if len(exits) > 1 else torch.ones_like(gap, dtype=torch.bool)
    return best.indices[0], clear


# The built-in model has 30 layers and tied embeddings.
CANDIDATES = {"low": range(2, 15, 2), "high": range(15, 30, 2), "0,7,21": [0, 7, 21], "12": [12]}


@pytest.mark.parametrize(("option", "layers"), CANDIDATES.items(), ids=CANDIDATES)
def test_scores(model_path, network, states, tokens, tmp_path, option, layers):
    ids = torch.tensor(tokens[1:TOKENS])
    with torch.inference_mode():
        expert = contrasts.log_probs(network.lm_head(states[-1]))[:-1]
    exits = [exit_log_probs(network, states[layer])[:-1] for layer in layers]
    chosen, choice_clear = choose(expert, exits)
    amateur = torch.stack(exits)[chosen, torch.arange(len(ids))]
    *expected, clear = contrasts.expected_scores(expert, expert - amateur, ids)
    got = contrasts.our_scores(model_path, tmp_path, tokens[:TOKENS], "--decode", "dola", "--dola-layers", option)
    print("times that each layer was chosen:", torch.bincount(chosen, minlength=len(exits)).tolist())
    contrasts.compare(option, expected, got, clear & choice_clear.numpy(), TOLERANCE)
