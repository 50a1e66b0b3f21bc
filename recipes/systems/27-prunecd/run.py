"""`brisk reproduce 27`: PruneCD (arXiv 2509.16598) on trained miniatures and on the built-in model.

Usage: run.py --brisk BINARY [-o DIR] [--quick] [--seeds N] [--only STAGE,...] [--overhead FILE]
              [--force] [--json]

Stages: train (miniatures), facts (methods on them), real (the built-in model). Finished work is kept in the user's
cache, so that a second call goes on where the first one stopped. The report is written whatever it shows; then the
specification's gates are judged, and the exit code is 1 when one fails.
"""

import argparse
import importlib.util
import json
import os
import signal
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
STAGES = ("train", "facts", "real")
PACKAGES = ("numpy", "torch", "gguf", "matplotlib")
EXIT_USAGE, EXIT_ENVIRONMENT, EXIT_SIGNAL = 2, 4, 128

sys.path.insert(0, str(HERE))
from cache import Cache, remove_leftovers, user_cache  # noqa: E402: our own files lie beside this one
from errors import RecipeError  # noqa: E402

CACHE = user_cache() / "reproduce" / "27"


class Stopped(BaseException):
    """A signal that ends the run, as an exception, so that half-made stages are tidied away."""


def stop(number, _frame):
    """Raises Stopped, and again soon if need be: libraries swallow exceptions that meet them in some places."""
    signal.signal(signal.SIGALRM, lambda _number, frame: stop(number, frame))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    raise Stopped(number)


def tidy():
    """After Stopped: nothing half-made stays, however the stages took it."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    remove_leftovers(CACHE)


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse(words):
    parser = argparse.ArgumentParser(prog="brisk reproduce 27", description=__doc__.split("\n")[0])
    parser.add_argument("--brisk", required=True, help="the binary to judge")
    parser.add_argument("-o", "--output-dir", default="reproduce-27", help="folder of the report")
    parser.add_argument("--force", action="store_true", help="replace a report that is there")
    parser.add_argument("--quick", action="store_true", help="a tiny version in a minute: it proves nothing")
    parser.add_argument("--seeds", type=int, help="how many of the recipe's seeds")
    parser.add_argument("--only", default="", help="stages, separated by commas: " + ", ".join(STAGES))
    parser.add_argument("--overhead", help="a JSON file of measured decoding speeds to include")
    parser.add_argument("--json", action="store_true", help="print the report's JSON")
    return parser.parse_args(words)


def check_packages():
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise RecipeError(
            "brisk reproduce 27",
            f"the Python packages {', '.join(PACKAGES)} in {sys.executable}",
            f"no {', '.join(missing)}",
            f"pip install {' '.join(missing)}, or BRISK_PYTHON=PATH for another Python",
            EXIT_ENVIRONMENT,
        )


def chosen_stages(options):
    default = ("train", "facts") if options.quick else STAGES
    stages = [name for name in options.only.split(",") if name] or list(default)
    for name in stages:
        if name not in STAGES:
            raise RecipeError("--only", f"stages of {', '.join(STAGES)}", f"'{name}'", "one of these", EXIT_USAGE)
    return stages


def read_recipe(quick):
    """recipe.toml; with quick, its [quick] tables laid over the others."""
    recipe = tomllib.loads((HERE / "recipe.toml").read_text())
    overrides = recipe.pop("quick")
    if quick:
        for part, values in overrides.items():
            recipe[part] |= values
    return recipe


def chosen_seeds(recipe, options):
    seeds = recipe["train"]["seeds"]
    if options.seeds is not None and not 1 <= options.seeds <= len(seeds):
        raise RecipeError("--seeds", f"1 to {len(seeds)}", str(options.seeds), "a number of these", EXIT_USAGE)
    return seeds[: options.seeds]


def read_overhead(path):
    if path is None:
        return None
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise RecipeError(f"--overhead {path}", "a JSON file", str(error), "the file of the benchmark") from error


def free_folder(options):
    """The report's folder, without a report in it unless --force. Told before hours of work: whether it can be made."""
    folder = Path(options.output_dir)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise RecipeError("-o", "a folder that can be written to", str(there), "another place")
    if (folder / "report.json").exists() and not options.force:
        raise RecipeError(str(folder / "report.json"), "no report", "one that is there", "--force, or -o DIR")
    return folder


def reproduce(options):
    """Runs the stages and writes the report; returns the exit code."""
    check_packages()
    stages, recipe = chosen_stages(options), read_recipe(options.quick)
    seeds, overhead = chosen_seeds(recipe, options), read_overhead(options.overhead)
    folder = free_folder(options)

    import report  # these need the packages that were just checked
    import stages as work
    from engine import Engine

    run = work.Run(recipe, Engine(options.brisk), Cache(CACHE), say)
    if "real" in stages:
        work.real_inputs(recipe)  # what is missing is told now, not in an hour
    results = {"quick": options.quick, "seeds": seeds, "version": run.engine.version, "recipe": recipe}
    if "train" in stages and "facts" not in stages:  # facts trains what it needs
        for seed in seeds:
            work.train_miniature(run, seed)
    results["facts"] = [work.facts(run, seed) for seed in seeds] if "facts" in stages else []
    results["real"] = work.real(run) if "real" in stages else None
    results["overhead"] = overhead
    return report.finish(results, folder, options.json, say)


def report_error(error, options):
    say(error.json() if options.json else error.text())
    return error.code


def main(words):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
            signal.signal(number, stop)
    options = parse(words)
    try:
        return reproduce(options)
    except RecipeError as error:
        return report_error(error, options)
    except OSError as error:
        where = error.filename or "brisk reproduce 27"
        return report_error(
            RecipeError(where, "to be read or written", error.strerror, "free space, permissions"), options
        )
    except Stopped as stopped:
        tidy()
        return EXIT_SIGNAL + stopped.args[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
