"""Scores of continuations are transformers' log-probabilities: several prompts, together, f32."""

import brisk
import numpy as np
import reference
import torch

TOLERANCE = 2e-3  # of a log-probability: that of a logit in test_smollm2_logits.py


def test_exact_mode(model_path, model_file, tokens):
    network = model_file.network()
    items = [(tokens[start : start + 40], [tokens[start + 40 : start + 48], tokens[:12]]) for start in range(0, 400, 80)]
    scores = brisk.load(str(model_path), exact=True, ctx=256).score_batch(items)
    worst = 0.0
    for (prompt, continuations), got in zip(items, scores, strict=True):
        for continuation, logprobs in zip(continuations, got, strict=True):
            ids = prompt + continuation
            expected = torch.log_softmax(torch.from_numpy(reference.logits(network, ids)).double(), dim=-1).numpy()
            rows = np.arange(len(prompt) - 1, len(ids) - 1)
            worst = max(worst, np.abs(expected[rows, continuation] - np.array(logprobs)).max())
    print(f"\nscores: max abs difference {worst:.3g}")
    assert worst <= TOLERANCE
