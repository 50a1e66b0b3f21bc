"""Real questions for the built-in model: TruthfulQA's multiple choice, FreshQA's false premises, Wikipedia text.

The files are those of scripts/fetch_eval_data.sh and scripts/fetch_test_data.sh.

TruthfulQA: MC1 offers the best answer and all false ones, MC2 all true and all false ones.

FreshQA: the questions whose premise is false. Their right answers say so; the data has no wrong ones. We take as wrong
answers the answers to other questions, with a true premise, that ask in the same way (When, Who, How many, ...): they
name something of the kind that was asked for and so accept the premise. They are shorter than the right ones, which
favours them under any method; methods are compared under the same items.
"""

import bz2
import csv
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree

# How a question may begin, the longer beginnings first; those that begin otherwise are left out.
KINDS = ("how many", "how much", "how long", "how old", "what year", "in what year", "when", "who", "where", "which")


def hash_share(text):
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48


def make_prompt(prefix, question):
    return f"{prefix}Q: {question}\nA:"


def make_item(prompt, correct, incorrect):
    """Answers begin with the space that follows the prompt."""
    return {
        "prompt": prompt,
        "correct": [f" {answer.strip()}" for answer in correct],
        "incorrect": [f" {answer.strip()}" for answer in incorrect],
    }


def truthfulqa(path, settings):
    """{"calibration": items, "mc1": items, "mc2": items}; calibration has the form of MC2."""
    data = json.loads(path.read_text())
    prefix = data["prefix"].rstrip("\n") + "\n\n" if settings["few_shot"] else ""
    sets = {"calibration": [], "mc1": [], "mc2": []}
    for entry in data["examples"]:
        prompt = make_prompt(prefix, entry["Question"])
        every = make_item(prompt, entry["True answers"], entry["False answers"])
        if hash_share(entry["Question"]) < settings["calibration_share"]:
            sets["calibration"].append(every)
            continue
        sets["mc1"].append(make_item(prompt, [entry["Best answer"]], entry["False answers"]))
        sets["mc2"].append(every)
    return sets, prefix


def kind_of(question):
    lower = question.lower()
    return next((kind for kind in KINDS if lower.startswith(kind)), None)


def read_freshqa(path):
    """The table's rows as dictionaries; what stands before the heading is a notice."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    start = next(i for i, row in enumerate(rows) if row and row[0] == "id")
    return [dict(zip(rows[start], row)) for row in rows[start + 1 :]]


def freshqa(path, settings, prefix):
    """One item for each question on a false premise that has enough answers of its kind to choose from."""
    rows = read_freshqa(path)
    false = [row for row in rows if row["false_premise"].upper() == "TRUE"]
    pool = {}
    for row in rows:
        if row["false_premise"].upper() != "TRUE" and row["answer_0"].strip():
            pool.setdefault(kind_of(row["question"]), []).append(row["answer_0"].strip())
    items = []
    for row in false:
        right = [row[f"answer_{i}"].strip() for i in range(10) if row[f"answer_{i}"].strip()]
        # The order is fixed by the question and the answer alone.
        others = sorted(set(pool.get(kind_of(row["question"]), [])), key=lambda a: hash_share(row["question"] + a))
        wrong = [answer for answer in others if answer not in right][: settings["freshqa_wrong"]]
        if kind_of(row["question"]) and right and len(wrong) == settings["freshqa_wrong"]:
            items.append(make_item(make_prompt(prefix, row["question"].strip()), right, wrong))
    return items


def plain_paragraphs(markup):
    """The paragraphs of an article that need no more than their links and quotes taken off."""
    for line in markup.split("\n"):
        text = re.sub(r"<ref[^>]*/>|<ref.*?</ref>", "", line)
        text = re.sub(r"\[\[(?:[^|\]]*\|)?([^|\]]*)\]\]", r"\1", text).replace("'''", "").replace("''", "")
        if len(text) >= 200 and not re.search(r"[{}|<>\[\]]|^[*#:;=!]", text):
            yield text.strip()


def wikipedia_paragraphs(path):
    with bz2.open(path) as file:
        for _, element in ElementTree.iterparse(file):
            if element.tag.endswith("}text") and element.text:
                yield from plain_paragraphs(element.text)


def take_characters(paragraphs, characters):
    """Paragraphs, one a line, until there are so many characters; uses up an iterator."""
    taken, count = [], 0
    for paragraph in paragraphs:
        taken.append(paragraph)
        count += len(paragraph)
        if count >= characters:
            break
    return "\n".join(taken) + "\n"
