"""What the recipe does, stage by stage; each is kept in the cache and found there by the next call.

miniature-S   world, questions and trained models of seed S (torch only)
facts-S       search and all methods on the miniature of seed S (the engine)
companion     the separate small model with the built-in model's tokenizer
real-search-O the layers that PruneCD prunes of the built-in model, by objective O
real-static   static DoLa's layer there
real-M-T      method M on task T
"""

import tempfile
from pathlib import Path

import companion
import methods
import miniature
import questions
from cache import file_hash, read_json, read_jsonl, user_cache, write_json, write_jsonl
from errors import RecipeError

# The specification's objective first, then its second criterion: tables of recipe.toml's [search].
SEARCHES = {"PruneCD": "options", "PruneCD by contrast": "contrast_options"}
EXPOSURE_BANDS = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 30))


class Run:
    """What all stages share."""

    def __init__(self, recipe, engine, cache, log):
        self.recipe, self.engine, self.cache, self.log = recipe, engine, cache, log

    def stage(self, name, depends, fill):
        return self.cache.stage(name, {"code": self.recipe["code"]} | depends, fill, self.log)


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else None


def summary(figures):
    """What is kept of `brisk eval`'s figures; contrasting methods have figures without the plausibility filter too."""
    kept = {key: figures[key] for key in ("items", "mc1", "mc2")}
    if "unfiltered" in figures:
        kept["unfiltered"] = {key: figures["unfiltered"][key] for key in ("mc1", "mc2")}
    return kept


# --- the facts miniature


def train_miniature(run, seed):
    """The folder of a seed's miniature."""
    return run.cache.stage(
        f"miniature-{seed}",
        miniature.settings_of(run.recipe, seed),
        lambda folder: miniature.make(run.recipe, seed, folder, run.log),
        run.log,
    )


def facts(run, seed):
    """The result of one seed, an object of plain values."""
    made = train_miniature(run, seed)
    parts = {key: run.recipe[key] for key in ("search", "methods")}
    depends = {"made": made.name, "engine": run.engine.hash, "seed": seed, **parts}
    judged = run.stage(f"facts-{seed}", depends, lambda folder: judge_facts(run, made, seed, folder))
    return read_json(judged / "result.json")


def judge_facts(run, made, seed, folder):
    model, calibration = made / "model.gguf", made / "calibration.jsonl"
    common = run.recipe["methods"]["facts_options"]
    inputs = (calibration, made / "neutral.jsonl")
    profiles = {name: search(run, model, inputs, key, folder, common) for name, key in SEARCHES.items()}
    static = best_static(run, model, calibration, run.recipe["methods"]["facts_static"], common)
    options, sets = methods.all_methods(run.recipe, folder, profiles, made / "small.gguf", static)
    result = {"seed": seed, "sets": sets, "static": static, "profiles": profiles}
    result["history"] = read_json(made / "history.json")
    result["methods"] = {name: judge_facts_method(run, made, [*words, *common]) for name, words in options.items()}
    write_json(folder / "result.json", result)


def judge_facts_method(run, made, options):
    """Figures on all test questions, on those about rare facts, and by exposure."""
    every, rare = (
        run.engine.evaluate(made / "model.gguf", made / f"{name}.jsonl", options) for name in ("test", "rare")
    )
    judged = list(zip(read_json(made / "exposures.json")["test"], every["per_item"], strict=True))
    bands = {
        f"{low}-{high}" if low < high else f"{low}": mean(item["mc1"] for e, item in judged if low <= e <= high)
        for low, high in EXPOSURE_BANDS
    }
    return {"all": summary(every), "rare": summary(rare), "by_exposure": bands}


def search(run, model, inputs, key, folder, common):
    """The profile of a search by one objective, kept in the folder. `inputs`: calibration questions, neutral text."""
    options = [*run.recipe["search"][key], *common]
    return run.engine.profile(model, *inputs, folder / f"search_{key}.json", options)


def best_static(run, model, calibration, layers, common):
    """The fixed layer of static DoLa: the one with the best MC2 on the calibration questions."""

    def figure(layer):
        return run.engine.evaluate(model, calibration, [*methods.dola_options(layer), *common])["mc2"]

    return max(layers, key=figure)


# --- the built-in model


def data_file(name, script):
    path = user_cache() / "data" / name
    if not path.exists():
        raise RecipeError("brisk reproduce 27", str(path), "no such file", f"scripts/{script}, which fetches it")
    return path


def model_file(name):
    path = user_cache() / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf" if name == "built-in" else Path(name)
    if not path.exists():
        raise RecipeError("brisk reproduce 27", str(path), "no such file", "scripts/fetch_model.sh, which fetches it")
    return path


def real_inputs(recipe):
    """The files that the real stages read; an error when one is absent."""
    return {
        "model": model_file(recipe["real"]["model"]),
        "truthfulqa": data_file("truthfulqa.json", "fetch_eval_data.sh"),
        "freshqa": data_file("freshqa.csv", "fetch_eval_data.sh"),
        "wikipedia": data_file("enwiki.xml.bz2", "fetch_test_data.sh"),
    }


def train_companion(run):
    """The folder of the questions and of the separate small model."""
    inputs = real_inputs(run.recipe)
    settings = {key: run.recipe[key] for key in ("real", "companion")}
    depends = {"inputs": {name: file_hash(path) for name, path in inputs.items()}, **settings}
    return run.stage("companion", depends, lambda folder: make_real(run, inputs, folder))


def real(run):
    """The result on the built-in model, an object of plain values."""
    made, model = train_companion(run), real_inputs(run.recipe)["model"]
    depends = {"made": made.name, "engine": run.engine.hash, **{key: run.recipe[key] for key in ("search", "methods")}}
    found = search_real(run, model, made, depends)
    with tempfile.TemporaryDirectory() as folder:
        profiles, static = found["profiles"], found["static"]
        options, sets = methods.all_methods(run.recipe, folder, profiles, made / "small.gguf", static)
        del options["no layers"], sets["no layers"]  # an identity, judged on the miniatures
        tasks = {
            task: {
                name: judge_real(run, depends, model, made / f"{task}.jsonl", name, [*words, "--mc-norm", norm])
                for name, words in options.items()
            }
            for task, norm in real_tasks(run.recipe).items()
        }
    return {"sets": sets, "tasks": tasks, "companion": read_json(made / "companion.json"), **found}


def real_tasks(recipe):
    """Tasks and how the log-probabilities of their answers are normalised."""
    truthfulqa, freshqa = recipe["methods"]["truthfulqa_norm"], recipe["methods"]["freshqa_norm"]
    return {"truthfulqa_mc1": truthfulqa, "truthfulqa_mc2": truthfulqa, "freshqa": freshqa}


def make_real(run, inputs, folder):
    """Questions, neutral text and the companion model."""
    settings = run.recipe["real"]
    sets, prefix = questions.truthfulqa(inputs["truthfulqa"], settings)
    for name, items in sets.items():
        write_jsonl(folder / f"truthfulqa_{name}.jsonl", items)
    write_jsonl(folder / "freshqa.jsonl", questions.freshqa(inputs["freshqa"], settings, prefix))
    paragraphs = questions.wikipedia_paragraphs(inputs["wikipedia"])
    neutral = questions.take_characters(paragraphs, settings["neutral_characters"])
    (folder / "neutral.txt").write_text(neutral)
    training = folder / "training.txt"
    training.write_text(questions.take_characters(paragraphs, run.recipe["companion"]["training_characters"]))
    tokens = run.engine.tokenize(inputs["model"], training)
    figures = companion.make(inputs["model"], tokens, run.recipe["companion"], folder / "small.gguf", run.log)
    counts = {path.stem: len(read_jsonl(path)) for path in folder.glob("*.jsonl")}
    write_json(folder / "companion.json", figures | {"items": counts})


def search_real(run, model, made, depends):
    """{"profiles": {name: profile}, "static": layer}, each in a stage of its own: they take minutes."""
    inputs = (made / "truthfulqa_calibration.jsonl", made / "neutral.txt")
    common = ["--mc-norm", run.recipe["methods"]["truthfulqa_norm"]]
    profiles = {}
    for name in run.recipe["search"]["real"]:
        key = SEARCHES[name]
        kept = run.stage(f"real-search-{key}", depends, lambda f, key=key: search(run, model, inputs, key, f, common))
        profiles[name] = read_json(kept / f"search_{key}.json")

    def choose_static(folder):
        layers = run.recipe["methods"]["real_static"]
        write_json(folder / "static.json", best_static(run, model, inputs[0], layers, common))

    return {"profiles": profiles, "static": read_json(run.stage("real-static", depends, choose_static) / "static.json")}


def judge_real(run, depends, model, items, name, options):
    """The figures of one method on one task. What its options come from is in `depends`; their paths say nothing."""

    def fill(folder):
        figures = run.engine.evaluate(model, items, options)
        del figures["per_item"]
        write_json(folder / "figures.json", figures)

    stage = f"real-{name.replace(' ', '_').replace(',', '')}-{items.stem}"
    return read_json(run.stage(stage, depends | {"name": name}, fill) / "figures.json")
