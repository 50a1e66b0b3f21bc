"""The stage that makes a facts miniature: world, questions, the trained model and the separate small model."""

import facts
import train
from cache import write_json, write_jsonl
from export import export


def settings_of(recipe, seed):
    """All that the stage depends on; `code` counts changes of the Python files that change what they make."""
    parts = ("facts", "model", "small", "train")
    return {"code": recipe["code"], "seed": seed, **{part: recipe[part] for part in parts}}


def question_sets(world, seed):
    """The questions by name. Calibration and test ask about different subjects."""
    settings = world.settings
    calibration = facts.make_items(world, seed, True, settings["calibration_items"])
    test = facts.make_items(world, seed, False, settings["test_items"])
    rare = [(fact, item) for fact, item in test if fact.exposure <= settings["rare"]]
    return {"calibration": calibration, "test": test, "rare": rare}


def write_questions(folder, world, seed):
    """The items, and beside them the exposure of each item's fact."""
    sets = question_sets(world, seed)
    for name, pairs in sets.items():
        write_jsonl(folder / f"{name}.jsonl", (item for _, item in pairs))
    write_json(folder / "exposures.json", {name: [f.exposure for f, _ in pairs] for name, pairs in sets.items()})
    write_jsonl(folder / "neutral.jsonl", ({"text": ids} for ids in facts.make_neutral(world, seed)))
    return {name: [item for _, item in pairs] for name, pairs in sets.items()}


def make(recipe, seed, folder, log=print):
    """Fills the folder: model.gguf, small.gguf, the questions, history.json."""
    world = facts.make_world(recipe["facts"], seed)
    corpus = facts.make_corpus(world, seed)
    questions = write_questions(folder, world, seed)
    probe_items = facts.make_items(world, seed, True, recipe["train"]["probe_items"], rare=True)
    rare = [item for _, item in probe_items]

    def learnt(model):
        return train.accuracy(model, rare)

    def fit(settings, max_epochs, target):
        return train.train(
            settings, world.vocabulary_size, corpus, recipe["train"], seed, learnt, max_epochs, target, log=log
        )

    model, history = fit(recipe["model"], recipe["train"]["max_epochs"], recipe["train"]["target"])
    export(model, world, folder / "model.gguf", f"facts miniature, seed {seed}")
    small = recipe["model"] | {"layers": recipe["small"]["layers"]}
    small_model, small_history = fit(small, recipe["small"]["epochs"], None)
    export(small_model, world, folder / "small.gguf", f"facts miniature's small companion, seed {seed}")
    write_json(
        folder / "history.json",
        {
            "sentences": len(corpus),
            "tokens": sum(map(len, corpus)),
            "vocabulary": world.vocabulary_size,
            "model": history,
            "small": small_history,
            "trainer_mc1": {name: train.accuracy(model, items) for name, items in questions.items()},
        },
    )
