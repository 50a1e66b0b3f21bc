"""What the specification demands of the results. A gate that fails makes the recipe fail, after the report is written.

A gate is {"name", "passed", "got"}; passed is null where a quick run, on a hardly trained model, has no say.
"""

from statistics import mean


def gate(name, passed, got):
    return {"name": name, "passed": bool(passed), "got": got}


def rare_mc1(seeds, names):
    """Mean over seeds, and over the methods named, of MC1 on rare facts."""
    return mean(seed["methods"][name]["rare"]["mc1"] for seed in seeds for name in names)


def same_figures(a, b):
    return all(a[part][key] == b[part][key] for part in ("all", "rare") for key in ("mc1", "mc2"))


def dola_exit(flatness, bucket, layers):
    """The row of the early exit that DoLa takes most of a bucket: the one farthest from the model's prediction, by the
    mean divergence. Candidates are the even layers of the lower or the upper half."""
    half = range(0, layers // 2) if bucket == "low" else range(layers // 2, layers)
    names = {f"exit {layer}" for layer in half if layer % 2 == 0}
    rows = [row for row in flatness if row["amateur"] in names]
    return max(rows, key=lambda row: row["jsd"]) if rows else None


def flatness_means(seeds, bucket):
    """Means over seeds of DoLa's exit and of the pruned model: {"exit": {...}, "pruned": {...}}; None when a table
    lacks either, as it does where the search found no layers."""
    pairs = []
    for seed in seeds:
        profile = seed["profiles"]["PruneCD"]
        pruned = next((row for row in profile["flatness"] if row["amateur"] == "pruned"), None)
        pairs.append((dola_exit(profile["flatness"], bucket, profile["layers"]), pruned))
    if any(row is None for pair in pairs for row in pair):
        return None
    sides = zip(("exit", "pruned"), zip(*pairs, strict=True), strict=True)
    return {side: {key: mean(row[key] for row in rows) for key in ("entropy", "top10_overlap")} for side, rows in sides}


def identity_gates(seeds, tolerance):
    """What holds for any model, trained or not."""
    worst = max(
        abs(seed["methods"]["plain"][part]["mc1"] - seed["history"]["trainer_mc1"][name])
        for seed in seeds
        for part, name in (("all", "test"), ("rare", "rare"))
    )
    same = [same_figures(seed["methods"]["plain"], seed["methods"]["no layers"]) for seed in seeds]
    return [
        gate("the engine's MC1 is the trainer's own", worst <= tolerance, f"greatest difference {worst:.4f}"),
        gate("check 1: PruneCD without pruned layers scores as plain", all(same), f"{sum(same)} of {len(same)} seeds"),
    ]


def effect_gates(seeds, recipe):
    """What holds for trained models."""
    plain, pruned = rare_mc1(seeds, ["plain"]), rare_mc1(seeds, ["PruneCD"])
    draws = [name for name in seeds[0]["methods"] if name.startswith("random") and "," not in name]
    control = rare_mc1(seeds, draws)
    gates = [
        gate("check 3: PruneCD above plain on rare facts", pruned > plain, f"MC1 {pruned:.4f} against {plain:.4f}"),
        gate("check 3: PruneCD not below random layers", pruned >= control, f"MC1 {pruned:.4f} against {control:.4f}"),
    ]
    return gates + [entry for bucket in recipe["methods"]["dola_buckets"] for entry in flatness_gates(seeds, bucket)]


def flatness_gates(seeds, bucket):
    names = [
        f"check 4: {claim} at the exit that DoLa {bucket} takes"
        for claim in ("entropy(early exit) > entropy(pruned)", "overlap(pruned) > overlap(early exit)")
    ]
    means = flatness_means(seeds, bucket)
    if means is None:
        return [gate(name, False, "the search found no layers") for name in names]
    entropies, overlaps = ([means[side][key] for side in ("exit", "pruned")] for key in ("entropy", "top10_overlap"))
    return [
        gate(names[0], entropies[0] > entropies[1], "early exit {:.3f}, pruned {:.3f}".format(*entropies)),
        gate(names[1], overlaps[1] > overlaps[0], "early exit {:.3f}, pruned {:.3f}".format(*overlaps)),
    ]


def judge(facts, recipe, quick):
    """All gates on the results of the facts miniature."""
    if not facts:
        return []
    gates = identity_gates(facts, recipe["gates"]["engine_tolerance"])
    effects = effect_gates(facts, recipe)
    if quick:
        effects = [effect | {"passed": None} for effect in effects]
    return gates + effects
