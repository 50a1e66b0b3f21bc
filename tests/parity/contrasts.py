"""Contrasting methods restated in float64 on transformers' logits, and our scores from the real binary."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
import torch

TREE = pathlib.Path(__file__).resolve().parents[2]
ALPHA = 0.1
FILTERED = -1000.0  # what `brisk score` gives to a token that the filter leaves out


def find_binary():
    named = os.environ.get("BRISK_BINARY")
    built = [pathlib.Path(named)] if named else sorted(TREE.glob("build/*/brisk"), key=lambda p: p.stat().st_mtime)
    if not built or not built[-1].exists():
        pytest.skip("no binary: set BRISK_BINARY or run scripts/build.sh")
    return built[-1]


def run_score(model_path, folder, ids, *options):
    """The finished process of scoring one text, in f32."""
    items = folder / "items.jsonl"
    items.write_text(json.dumps({"text": list(map(int, ids))}) + "\n")
    words = [find_binary(), "score", model_path, "-f", items, "--exact", "--json", *options]
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=300, check=False)


def our_scores(model_path, folder, ids, *options):
    """(filtered, unfiltered) log-probabilities of ids[1:]."""
    done = run_score(model_path, folder, ids, *options)
    assert done.returncode == 0, done.stderr
    (text,) = json.loads(done.stdout)["continuations"]
    return np.array(text["logprobs"]), np.array(text["unfiltered"])


def log_probs(logits):
    return torch.log_softmax(torch.as_tensor(logits).double(), dim=-1)


def expected_scores(expert, score, tokens):
    """(filtered, unfiltered, clear) of each token. `expert` [n, vocabulary] log-probabilities, `score` alike.

    Not clear: some token stands so near the filter's edge that an f32 logit may fall on either side.
    """
    rows = torch.arange(len(tokens))
    edge = expert.max(dim=-1, keepdim=True).values + np.log(ALPHA)
    kept = expert >= edge
    filtered = torch.log_softmax(score.masked_fill(~kept, -torch.inf), dim=-1)[rows, tokens]
    unfiltered = torch.log_softmax(score, dim=-1)[rows, tokens]
    clear = ((expert - edge).abs() > 2e-3).all(dim=-1)
    return filtered.clamp(min=FILTERED).numpy(), unfiltered.numpy(), clear.numpy()


def compare(name, expected, got, clear, tolerance):
    filtered, unfiltered = got
    assert clear.mean() > 0.5, "too few positions can be judged"
    worst = np.abs(expected[0] - filtered)[clear].max(), np.abs(expected[1] - unfiltered)[clear].max()
    inside = int((expected[0] > FILTERED).sum())
    print(f"\n{name}: max difference {worst[0]:.3g} filtered, {worst[1]:.3g} unfiltered; "
          f"{clear.sum()} of {len(clear)} positions, {inside} tokens inside the filter")
    assert inside > 5
    assert max(worst) < tolerance
