"""The decoding methods that are compared: what each asks of `brisk eval`, and the layer sets of the controls."""

import random
from itertools import combinations
from pathlib import Path

from cache import write_json


def prunable(layers):
    """The layers that the search may take: the second to well before the last."""
    return range(1, layers - max(2, layers // 8))


def write_profile(folder, name, profile, pruned):
    """The path of a profile like `profile` with other layers; figures that belong to the layers are left out."""
    kept = ("fingerprint", "layers", "mode", "alpha", "lambda", "calibration")
    path = Path(folder) / f"{name.replace(' ', '_')}.json"
    write_json(path, {key: profile[key] for key in kept if key in profile} | {"pruned": sorted(pruned)})
    return path


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
    """{name: options of eval}, and the layer sets by name. `profiles`: {"PruneCD": profile, ...}, the first being the one
    that the controls are sized by; their files and the controls' are written to the folder."""
    settings, profile = recipe["methods"], next(iter(profiles.values()))
    sets = {name: found["pruned"] for name, found in profiles.items()}
    sets |= control_sets(profile, settings["random_sets"], recipe["code"]) | {"no layers": []}
    methods = {"plain": []}
    for bucket in settings["dola_buckets"]:
        methods[f"DoLa {bucket}"] = dola_options(bucket)
    methods["DoLa static"] = dola_options(static)
    methods["small model"] = contrastive_options(amateur, "ratio")
    for name, pruned in sets.items():
        methods[name] = pruned_options(write_profile(folder, name, profile, pruned), "ratio")
    for name in settings["extrapolate"]:
        methods[f"{name}, extrapolate"] = [*methods[name][:-1], "extrapolate"]
    return methods, sets
