"""PruneCD on a real model: teacher-forced scores against transformers without the pruned layers."""

import json

import contrasts
import pytest
import reference
import torch

TOKENS = 100
LAYERS = 30
TOLERANCE = 1e-3  # f32 sums in another order; 3e-4 was seen


@pytest.fixture(scope="module")
def fingerprint(model_path, tmp_path_factory):
    """The model's fingerprint: what a profile of another model is told."""
    folder = tmp_path_factory.mktemp("fingerprint")
    profile = write_profile(folder, "another", [3])
    done = contrasts.run_score(model_path, folder, [1, 2], "--decode", "prunecd", "--prunecd", profile)
    assert done.returncode == 3
    error = json.loads(done.stderr)["error"]
    assert "fingerprint" in error["where"]
    return error["expected"].split(",")[0]


def write_profile(folder, fingerprint, pruned):
    path = folder / "prunecd.json"
    path.write_text(json.dumps({"fingerprint": fingerprint, "layers": LAYERS, "pruned": pruned}))
    return path


@pytest.fixture(scope="module")
def expert(model_file, tokens):
    return contrasts.log_probs(reference.logits(model_file.network(), tokens[:TOKENS]))[:-1]


def amateur(model_file, tokens, pruned):
    network = model_file.network()
    kept = [layer for index, layer in enumerate(network.model.layers) if index not in pruned]
    for index, layer in enumerate(kept):
        layer.self_attn.layer_idx = index  # the place of its keys and values in the cache
    network.model.layers = torch.nn.ModuleList(kept)
    network.config.num_hidden_layers = len(kept)
    return contrasts.log_probs(reference.logits(network, tokens[:TOKENS]))[:-1]


MODES = {
    "ratio": ["--cd-mode", "ratio"],
    "extrapolate 0.5": ["--cd-mode", "extrapolate", "--cd-lambda", 0.5],
    "extrapolate 0": ["--cd-mode", "extrapolate", "--cd-lambda", 0],
}


@pytest.mark.parametrize("pruned", [[12], [9, 10, 17], [0, 29]], ids=str)
def test_scores(model_path, model_file, tokens, expert, fingerprint, tmp_path, pruned):
    differs = expert - amateur(model_file, tokens, pruned)
    scores = {"ratio": differs, "extrapolate 0.5": expert + 0.5 * differs, "extrapolate 0": expert}
    profile = write_profile(tmp_path, fingerprint, pruned)
    for mode, options in MODES.items():
        *expected, clear = contrasts.expected_scores(expert, scores[mode], torch.tensor(tokens[1:TOKENS]))
        got = contrasts.our_scores(model_path, tmp_path, tokens[:TOKENS], "--decode", "prunecd", "--prunecd", profile,
                                   *options)
        contrasts.compare(f"{pruned} {mode}", expected, got, clear, TOLERANCE)
