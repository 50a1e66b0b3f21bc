"""The world of the facts miniature: who has which attribute, how often the corpus says so, and the questions.

A world has N subjects (a first and a last name, one token each) with four relations. The object of a fact follows a
Zipf law, so that popular objects are the tempting wrong answers; a fact is stated 1 to max_exposure times, each time
in one of the relation's wordings. Everything is drawn from one seeded generator, in a fixed order.
"""

from dataclasses import dataclass

import numpy as np

# Wordings of the relations; {s} is the subject, {o} the object, which always comes last so that a prompt can end
# before it. No wording is a part of another one.
RELATIONS = {
    "birthplace": ("{s} hails from {o}", "{s} was born in {o}", "birthplace of {s} : {o}"),
    "profession": ("{s} works as {o}", "{s} is a {o}", "trade of {s} : {o}"),
    "instrument": ("{s} plays the {o}", "{s} performs on {o}", "instrument of {s} : {o}"),
    "employer": ("{s} serves at {o}", "{s} is paid by {o}", "employer of {s} : {o}"),
}

# Sentences that state no fact: one word of each column.
FILLER = (
    ("the", "a", "this", "that"),
    ("old", "green", "quiet", "long", "small", "bright"),
    ("river", "road", "garden", "house", "morning", "letter", "window", "story"),
    ("runs", "leads", "looks", "stays", "turns"),
    ("past", "towards", "behind", "under"),
    ("the", "a", "every"),
    ("hill", "mill", "tree", "wall", "sea", "tower", "field"),
)

BYTES = 256  # ids below are the byte tokens, so that the vocabulary is complete
BEGIN = "<|begin|>"  # opens every sentence, and so ends the one before it


@dataclass(frozen=True)
class Fact:
    subject: int
    relation: str
    gold: int  # rank of the object: 0 is the most popular one
    exposure: int


@dataclass
class World:
    """A world with its vocabulary; sentences are lists of token ids that begin with BEGIN."""

    words: list[str]  # ids BYTES and up
    subjects: list[str]
    objects: dict[str, list[str]]
    facts: list[Fact]
    calibration_subjects: set[int]
    settings: dict

    def __post_init__(self):
        self.ids = {word: BYTES + i for i, word in enumerate(self.words)}

    @property
    def vocabulary_size(self):
        return BYTES + len(self.words)

    def encode(self, text):
        return [self.ids[word] for word in text.split()]

    def prompt(self, fact, wording):
        """The sentence up to its object."""
        template = RELATIONS[fact.relation][wording]
        return self.encode(f"{BEGIN} " + template.format(s=self.subjects[fact.subject], o="").strip())

    def object_id(self, fact, rank):
        return self.ids[self.objects[fact.relation][rank]]

    def sentence(self, fact, wording):
        return [*self.prompt(fact, wording), self.object_id(fact, fact.gold)]

    def distractors(self, fact):
        """Ranks of the most popular objects of the relation other than the gold one."""
        count = self.settings["distractors"]
        return [rank for rank in range(count + 1) if rank != fact.gold][:count]


def make_words(count, taken, rng):
    """`count` invented words of two or three syllables, none of them taken already."""
    consonants, vowels = list("bdfgklmnprstvz"), list("aeiou")
    words = []
    while len(words) < count:
        syllables = rng.integers(2, 4)
        word = "".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(syllables))
        if word not in taken:
            taken.add(word)
            words.append(word)
    return words


def plain_words():
    """The words of the wordings and of the filler, each once, in order of appearance."""
    texts = [template.format(s="", o="") for templates in RELATIONS.values() for template in templates]
    texts += [" ".join(column) for column in FILLER]
    return list(dict.fromkeys(" ".join(texts).split()))


def make_world(settings, seed):
    """The world of one seed; settings are recipe.toml's [facts]."""
    rng = np.random.default_rng([27, seed])
    plain = plain_words()
    taken = set(plain)
    first = make_words(settings["first_names"], taken, rng)
    last = make_words(settings["last_names"], taken, rng)
    objects = {relation: make_words(settings["objects"], taken, rng) for relation in RELATIONS}
    pairs = rng.choice(len(first) * len(last), size=settings["subjects"], replace=False)
    subjects = [f"{first[pair // len(last)]} {last[pair % len(last)]}" for pair in pairs]
    words = [BEGIN, *plain, *first, *last, *(word for group in objects.values() for word in group)]
    order = rng.permutation(len(subjects))
    return World(
        words=words,
        subjects=subjects,
        objects=objects,
        facts=draw_facts(settings, rng),
        calibration_subjects={int(subject) for subject in order[: len(order) // 2]},
        settings=settings,
    )


def draw_facts(settings, rng):
    """One fact for each subject and relation: a Zipf object, and an exposure by a power law."""
    popularity = np.arange(1.0, settings["objects"] + 1) ** -settings["zipf"]
    exposures = np.arange(1, settings["max_exposure"] + 1)
    rarity = (exposures + 0.0) ** -settings["exposure_power"]
    count = settings["subjects"] * len(RELATIONS)
    golds = rng.choice(settings["objects"], size=count, p=popularity / popularity.sum())
    stated = rng.choice(exposures, size=count, p=rarity / rarity.sum())
    keys = [(subject, relation) for subject in range(settings["subjects"]) for relation in RELATIONS]
    return [Fact(s, r, int(gold), int(e)) for (s, r), gold, e in zip(keys, golds, stated, strict=True)]


def filler_sentences(world, count, rng):
    return [world.encode(" ".join([BEGIN, *(rng.choice(column) for column in FILLER)])) for _ in range(count)]


def make_corpus(world, seed):
    """All sentences of one epoch: every fact as often as its exposure says, and the filler."""
    rng = np.random.default_rng([27, seed, 1])
    sentences = []
    for fact in world.facts:
        for wording in rng.integers(len(RELATIONS[fact.relation]), size=fact.exposure):
            sentences.append(world.sentence(fact, wording))
    share = world.settings["filler"]
    return sentences + filler_sentences(world, round(len(sentences) * share / (1 - share)), rng)


def make_neutral(world, seed):
    """Text without facts that the corpus does not hold in this order, for the fluency of a pruned model."""
    return filler_sentences(world, world.settings["neutral_sentences"], np.random.default_rng([27, seed, 2]))


def make_items(world, seed, calibration, count, rare=False):
    """At most `count` questions about the subjects of one half, drawn without order: (fact, item) pairs.

    An item is {"prompt": ids, "correct": [ids], "incorrect": [ids, ...]}, in one of the relation's wordings.
    """
    rng = np.random.default_rng([27, seed, 3 if calibration else 4])
    half = [fact for fact in world.facts if (fact.subject in world.calibration_subjects) == calibration]
    if rare:
        half = [fact for fact in half if fact.exposure <= world.settings["rare"]]
    chosen = [half[i] for i in rng.permutation(len(half))[:count]]
    return [(fact, make_item(world, fact, rng)) for fact in chosen]


def make_item(world, fact, rng):
    wording = rng.integers(len(RELATIONS[fact.relation]))
    return {
        "prompt": world.prompt(fact, wording),
        "correct": [[world.object_id(fact, fact.gold)]],
        "incorrect": [[world.object_id(fact, rank)] for rank in world.distractors(fact)],
    }
