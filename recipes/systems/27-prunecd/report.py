"""The report: report.json with every figure, report.md and its plots for people. Written before gates are judged."""

import json
import os
import platform
from statistics import mean, pstdev

import gates
from cache import write_json

PAPER = (
    "The paper (arXiv 2509.16598) reports gains over greedy decoding and DoLa on TruthfulQA, FACTOR and StrategyQA at "
    'a "minimal" extra cost. Its tables, its calibration data, its contrast weights and the number of layers it prunes '
    "were not available to us, so there is no figure of the paper to set beside ours."
)
DIFFERENCES = (
    "Models: a 1.5M-parameter miniature trained on invented facts and SmolLM2-135M-Instruct, not the paper's models.",
    "The form of the contrast, alpha = 0.1 and the search are our choice after DoLa's and the abstract's description.",
    "FreshQA has no wrong answers: ours are answers to other questions that ask in the same way. FACTOR and StrategyQA "
    "are not run.",
    "The separate small model beside SmolLM2 is cut out of SmolLM2 itself and tuned for minutes: a weak amateur.",
)


def machine():
    return {"system": platform.system(), "machine": platform.machine(), "cores": os.cpu_count()}


# --- tables


def table(headings, rows):
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [headings, ["---"] + ["---:"] * (len(headings) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(value):
    return "-" if value is None else f"{100 * value:.1f}"


def with_spread(values):
    """Mean and, with several seeds, standard deviation over them, in per cent."""
    spread = f" ± {100 * pstdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{spread}"


def method_names(seeds):
    return list(seeds[0]["methods"])


def facts_table(seeds):
    rows = []
    for name in method_names(seeds):
        columns = [
            with_spread([seed["methods"][name][part][key] for seed in seeds])
            for part in ("rare", "all")
            for key in ("mc1", "mc2")
        ]
        rows.append([name, *columns, unfiltered_mc1(seeds, name)])
    return table(["method", "rare MC1", "rare MC2", "all MC1", "all MC2", "rare MC1 unfiltered"], rows)


def unfiltered_mc1(seeds, name):
    rare = [seed["methods"][name]["rare"] for seed in seeds]
    return with_spread([one["unfiltered"]["mc1"] for one in rare]) if "unfiltered" in rare[0] else "-"


def exposure_table(seeds, names):
    bands = list(seeds[0]["methods"]["plain"]["by_exposure"])
    rows = []
    for name in names:
        values = [band_mean(seeds, name, band) for band in bands]
        rows.append([name, *map(percent, values)])
    return table(["method", *bands], rows)


def band_mean(seeds, name, band):
    """Mean over seeds of MC1 on facts of one band of exposures; None where no question falls into it."""
    values = [seed["methods"][name]["by_exposure"][band] for seed in seeds]
    values = [value for value in values if value is not None]
    return mean(values) if values else None


def flatness_rows(profiles):
    """Means over profiles, by amateur."""
    figures = ("entropy", "spread", "max_minus_mean", "top10_overlap", "spearman50", "jsd")
    names = [row["amateur"] for row in profiles[0]["flatness"]]
    tables = [{row["amateur"]: row for row in profile["flatness"]} for profile in profiles]
    return {name: {key: mean(one[name][key] for one in tables) for key in figures} for name in names}


def flatness_table(profiles):
    rows = [[name, *(f"{value:.3f}" for value in row.values())] for name, row in flatness_rows(profiles).items()]
    headings = ["amateur", "entropy", "spread", "max - mean", "top-10 overlap", "Spearman of 50", "JSD"]
    return table(headings, rows)


def layers_text(layers):
    return ", ".join(map(str, layers)) or "none"


def search_table(seeds):
    rows = []
    for seed in seeds:
        for name, profile in seed["profiles"].items():
            figures = [f"{100 * profile[key]:.1f}" if key in profile else "-" for key in ("s0", "drop")]
            fluency = f"{profile['fluency']:.3f}" if "fluency" in profile else "-"
            rows.append([f"{seed['seed']}: {name}", layers_text(profile["pruned"]), *figures, fluency])
    return table(["seed and objective", "layers pruned", "s0", "drop", "fluency ratio"], rows)


def with_interval(figures, key):
    low, high = figures[f"{key}_interval"]
    return f"{percent(figures[key])} ({percent(low)} to {percent(high)})"


REAL_COLUMNS = (
    ("truthfulqa_mc1", "mc1", "TruthfulQA MC1"),
    ("truthfulqa_mc2", "mc2", "TruthfulQA MC2"),
    ("freshqa", "mc1", "FreshQA MC1"),
    ("freshqa", "mc2", "FreshQA MC2"),
)


def real_table(tasks, figures_of=lambda figures: figures):
    """Rows of the methods that have the figures in question."""
    rows = []
    for name in tasks["truthfulqa_mc1"]:
        figures = {task: figures_of(methods[name]) for task, methods in tasks.items()}
        if None not in figures.values():
            rows.append([name, *(with_interval(figures[task], key) for task, key, _ in REAL_COLUMNS)])
    return table(["method", *(heading for _, _, heading in REAL_COLUMNS)], rows)


# --- the text


def facts_text(results):
    seeds, settings = results["facts"], results["recipe"]["facts"]
    learnt = [seed["history"]["model"][-1] for seed in seeds]
    shown = ["plain", "DoLa low", "DoLa high", "small model", "random 1", "last layers", "PruneCD"]
    shown = [name for name in shown if name in method_names(seeds)]
    return f"""## Facts miniature

{len(seeds)} seed(s). Each: {settings["subjects"]} invented subjects with 4 relations, objects by a Zipf law, each fact
stated 1 to {settings["max_exposure"]} times, in several wordings; a Llama of {results["recipe"]["model"]["layers"]} layers
trained until half of the rare facts (stated at most {settings["rare"]} times) are learnt: after
{mean(entry["step"] for entry in learnt):.0f} steps in the mean. A question offers the right object and the
{settings["distractors"]} most popular others of the relation. The search sees {settings["calibration_items"]} questions;
the test asks {seeds[0]["methods"]["plain"]["all"]["items"]}, about other subjects. Per cent, mean ± standard deviation
over seeds. Scores are log-softmax of the contrast inside the plausibility set, -1000 outside; the last column is without
that filter.

{facts_table(seeds)}

MC1 by how often the corpus states the fact:

{exposure_table(seeds, shown)}

![MC1 on rare facts](facts_rare.png)

### What the search found

{search_table(seeds)}

Static DoLa's layer, chosen on the calibration questions: {", ".join(str(seed["static"]) for seed in seeds)}.

### Flatness

Means over positions and seeds; "exit j" is the model's head on the residual stream as it enters layer j.

{flatness_table([seed["profiles"]["PruneCD"] for seed in seeds])}

![flatness](facts_flatness.png)
"""


def real_text(results):
    real, settings = results["real"], results["recipe"]["real"]
    counts, made = real["companion"]["items"], real["companion"]
    sets = "; ".join(f"{name}: {layers_text(layers)}" for name, layers in real["sets"].items())
    shots = "after TruthfulQA's own six examples" if settings["few_shot"] else "without examples"
    return f"""## SmolLM2-135M-Instruct on real questions

Prompt: "Q: ... A:" {shots}, the same for all methods. The search sees {counts["truthfulqa_calibration"]} questions of
TruthfulQA, a half fixed by a hash; the test asks the other {counts["truthfulqa_mc1"]}. FreshQA: {counts["freshqa"]}
questions whose premise is false, none of which the search sees; wrong answers are answers to other questions that ask
in the same way. TruthfulQA counts sums of log-probabilities, FreshQA means by token. Per cent, with 95 % bootstrap
intervals over questions.

{real_table(real["tasks"])}

A token outside the plausibility set counts as log-probability -1000: over answers of several tokens this weighs more than
the contrast itself. Without that filter:

{real_table(real["tasks"], lambda figures: figures.get("unfiltered"))}

![real questions](real.png)

Layers pruned: {sets}. Static DoLa's layer: {real["static"]}.

The separate small model: blocks {layers_text(made["blocks"])} of SmolLM2 under its own embedding and head, tuned on
{made["training_tokens"]} tokens of Wikipedia; its loss fell from {made["first_loss"]:.2f} to {made["last_loss"]:.2f}.

### Flatness

{flatness_table([real["profiles"]["PruneCD"]])}
"""


def overhead_text(measured):
    """The rows of bench/model/decode_overhead.py's file; another file as it is."""
    if "rows" not in measured:
        return f"## Overhead\n\n```json\n{json.dumps(measured, indent=1)}\n```"
    rows = [[name, f"{row['ms_per_token']:.1f}", f"{row['of_plain']:.2f}"] for name, row in measured["rows"].items()]
    source = f"Decoding one sequence, {measured.get('model')} on {measured.get('machine')}, {measured.get('date')}."
    return f"## Overhead\n\n{source}\n\n" + table(["method", "ms a token", "of plain"], rows)


def gates_text(judged, quick):
    words = {True: "passed", False: "**failed**", None: "not judged (--quick)"}
    rows = [[entry["name"], words[entry["passed"]], entry["got"]] for entry in judged]
    note = "A quick run proves only that the path works.\n\n" if quick else ""
    return "## Gates\n\n" + note + (table(["gate", "", "got"], rows) if rows else "None: the stage facts did not run.")


def markdown(results, judged):
    host = results["machine"]
    parts = [
        "# PruneCD (system 27)",
        f"Made by `brisk reproduce 27`, {results['version']}, on {host['system']} {host['machine']}, {host['cores']} "
        "cores. All figures are in report.json.",
        f"## The paper\n\n{PAPER}",
        "What differs:\n\n" + "\n".join(f"- {difference}" for difference in DIFFERENCES),
        gates_text(judged, results["quick"]),
    ]
    if results["facts"]:
        parts.append(facts_text(results))
    if results["real"]:
        parts.append(real_text(results))
    if results["overhead"] is not None:
        parts.append(overhead_text(results["overhead"]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


# --- plots


def new_figure(width, height):
    """A figure that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure, path):
    """Written beside and renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    figure.savefig(beside, format="png", dpi=120)
    beside.rename(path)


def plot_rare(seeds, path):
    names = method_names(seeds)
    figure = new_figure(7, 0.28 * len(names) + 1)
    axes = figure.subplots()
    values = [[100 * seed["methods"][name]["rare"]["mc1"] for seed in seeds] for name in names]
    axes.barh(names, [mean(v) for v in values], color="#9db8d2")
    for row, seed_values in enumerate(values):
        axes.plot(seed_values, [row] * len(seed_values), "k.", markersize=4)
    axes.axvline(mean(values[0]), color="#b04040", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("MC1 on rare facts, %; dots are seeds, the line is plain decoding")
    save(figure, path)


def plot_flatness(seeds, path):
    rows = flatness_rows([seed["profiles"]["PruneCD"] for seed in seeds])
    figure = new_figure(8, 3)
    for axes, key in zip(figure.subplots(1, 3), ("entropy", "spread", "top10_overlap"), strict=True):
        colors = ["#b04040" if name == "pruned" else "#9db8d2" for name in rows]
        axes.bar(list(rows), [row[key] for row in rows.values()], color=colors)
        axes.set_title(key.replace("_", " "))
        axes.tick_params(axis="x", rotation=90, labelsize=7)
    save(figure, path)


def plot_real(tasks, path):
    names = list(tasks["truthfulqa_mc1"])
    figure = new_figure(11, 0.26 * len(names) + 1)
    panels = figure.subplots(1, len(REAL_COLUMNS), sharey=True)
    for axes, (task, key, heading) in zip(panels, REAL_COLUMNS, strict=True):
        for row, name in enumerate(names):
            figures = tasks[task][name]
            axes.plot([100 * end for end in figures[f"{key}_interval"]], [row, row], color="#9db8d2")
            axes.plot(100 * figures[key], row, "k.")
        axes.axvline(100 * tasks[task]["plain"][key], color="#b04040", linewidth=1)
        axes.set_title(heading, fontsize=9)
        axes.set_yticks(range(len(names)), names, fontsize=7)
    panels[0].invert_yaxis()
    save(figure, path)


def plot_all(results, folder):
    if results["facts"]:
        plot_rare(results["facts"], folder / "facts_rare.png")
        plot_flatness(results["facts"], folder / "facts_flatness.png")
    if results["real"]:
        plot_real(results["real"]["tasks"], folder / "real.png")


def finish(results, folder, as_json, say):
    """Writes the report, tells where it is and how the gates went; returns the exit code."""
    results["machine"] = machine()
    judged = gates.judge(results["facts"], results["recipe"], results["quick"])
    results["gates"] = judged
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "report.json", results)
    plot_all(results, folder)
    text = folder / ".report.md"
    text.write_text(markdown(results, judged))
    text.rename(folder / "report.md")
    if as_json:
        print(json.dumps(results))
    failed = [entry for entry in judged if entry["passed"] is False]
    for entry in failed:
        say(f"gate failed: {entry['name']}: {entry['got']}")
    say(f"report: {folder / 'report.md'}")
    return 1 if failed else 0
