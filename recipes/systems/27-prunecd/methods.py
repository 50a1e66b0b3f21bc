"""The decoding methods that are compared: what each asks of `brisk eval`, and the layer sets of the controls."""

import random
from itertools import combinations
from pathlib import Path

from cache import write_json


def prunable(layers):
    """The layers that the search may take: the second to well before the last."""
    return range(1, layers - max(2, layers // 8))


def write_profile(path, profile, pruned):
    """A profile like `profile` with other layers; figures that belong to the layers are left out."""
    kept = ("fingerprint", "layers", "mode", "alpha", "lambda", "calibration")
    write_json(path, {key: profile[key] for key in kept if key in profile} | {"pruned": sorted(pruned)})


def control_sets(profile, count, seed):
    """{"random 1": layers, ..., "last layers": layers}: as many layers as the profile prunes, at least one."""
    size = max(1, len(profile["pruned"]))
    layers = profile["layers"]
    rng = random.Random(f"27 {seed} {profile['fingerprint']}")
    others = [drawn for drawn in combinations(prunable(layers), size) if list(drawn) != profile["pruned"]]
    drawn = rng.sample(others, min(count, len(others)))
    controls = {f"random {i + 1}": list(pruned) for i, pruned in enumerate(drawn)}
    return controls | {"last layers": list(range(layers - size, layers))}


def pruned_options(path, mode):
    return ["--decode", "prunecd", "--prunecd", str(path), "--cd-mode", mode]


def contrastive_options(amateur, mode):
    return ["--decode", "contrastive", "--amateur", str(amateur), "--cd-mode", mode]


def dola_options(layers):
    return ["--decode", "dola", "--dola-layers", str(layers)]


def all_methods(recipe, folder, profiles, amateur, static):
    """{name: options of eval}. `profiles`: {"PruneCD": profile, ...}, the first being the one that the controls are
    sized by; their files and the controls' are written to the folder."""
    folder = Path(folder)
    profile = next(iter(profiles.values()))
    controls = control_sets(profile, recipe["methods"]["random_sets"], recipe["code"])
    sets = {name: found["pruned"] for name, found in profiles.items()} | controls
    sets["no layers"] = []
    methods = {"plain": []}
    for bucket in recipe["methods"]["dola_buckets"]:
        methods[f"DoLa {bucket}"] = dola_options(bucket)
    methods["DoLa static"] = dola_options(static)
    for mode in recipe["methods"]["modes"]:
        suffix = "" if mode == "ratio" else f", {mode}"
        methods[f"small model{suffix}"] = contrastive_options(amateur, mode)
        for name, pruned in sets.items():
            path = folder / f"{name.replace(' ', '_')}.json"
            write_profile(path, profile, pruned)
            methods[f"{name}{suffix}"] = pruned_options(path, mode)
    return methods, sets
