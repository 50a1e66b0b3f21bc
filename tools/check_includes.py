"""Checks who includes whom: the module order of docs/design/layers.md, quotes for our own headers and angle
brackets for everything else, third-party headers only in the modules that own them, and installed headers
that stand alone.
"""

import re

import tree

# A module may include those to its left.
CHAIN = ["base", "tensor", "quant", "kernels", "ops", "graph", "models", "runtime", "serve"]

# Beside the chain: what a module may include (with all that lies left of it in the chain) ...
BESIDE = {
    "device": ["tensor"],
    "formats": ["quant", "tensor"],
    "text": ["base", "tensor"],
    "hub": ["base"],
    "image": ["base", "tensor"],
    "audio": ["base", "tensor"],
    "techniques": ["runtime", "models", "graph", "formats", "text", "image", "audio"],
    "evaluate": ["runtime", "techniques", "text", "image", "audio"],
    "retrieve": ["kernels", "text", "runtime"],
    "dist": ["runtime"],
    "train": ["graph", "models", "formats", "techniques", "evaluate"],
}
# ... and who may include it.
INCLUDED_BY = {
    "device": ["ops", "graph", "runtime"],
    "formats": ["graph", "models", "runtime", "techniques", "evaluate", "serve", "cli"],
    "text": ["runtime", "serve", "techniques", "evaluate", "cli"],
    "hub": ["cli", "python"],
    "image": ["runtime", "serve", "techniques", "cli"],
    "audio": ["runtime", "serve", "techniques", "cli"],
    "techniques": ["evaluate", "train", "serve", "cli", "python"],
    "evaluate": ["cli", "python"],
    "retrieve": ["serve", "cli", "python"],
    "dist": ["serve", "cli"],
    "train": ["cli", "python"],
}
ENDS = ["cli", "python"]  # to the right of the whole chain

# Headers of others, and the modules that may include them.
THIRD_PARTY = {
    "nlohmann/": ["base"],
    "utf8proc.h": ["text"],
    "pcre2.h": ["text"],
    "histedit.h": ["cli"],
    "curl/": ["hub"],
    "nettle/": ["hub"],
    "nanobind/": ["python"],
    "Python.h": ["python"],
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?P<open>[<"])(?P<path>[^>"]+)[>"]', re.MULTILINE)
TEST_FILES = {"test.cpp", "bench.cpp"}  # beside a kernel; built into the tests, not into the library


def allowed(module):
    """The modules that `module` may include."""
    if module in ENDS:
        left = set(CHAIN)
    elif module in CHAIN:
        left = set(CHAIN[: CHAIN.index(module)])
    else:
        named = set(BESIDE[module])
        rightmost = max((CHAIN.index(name) for name in named if name in CHAIN), default=0)
        left = named | set(CHAIN[:rightmost])
    return left | {name for name, users in INCLUDED_BY.items() if module in users} | {module}


def module_of(path):
    """src/base/x.cpp -> base, cli/verbs/run.cpp -> cli; None outside the modules."""
    if path.parts[0] == "src" and len(path.parts) > 2:
        return path.parts[1]
    return path.parts[0] if path.parts[0] in ENDS else None


def check_ours(root, path, module, target):
    """What is wrong with `#include "target"`, or nothing."""
    if module in ENDS and target.startswith(f"{module}/") and (root / target).exists():
        return None
    if path.name in TEST_FILES and target.startswith("support/"):
        return None
    if target.endswith(".inc") and ("/" not in target or (root / "src" / target).exists()):
        return None if "/" not in target or target.split("/")[0] == module else "another module's list"
    if not (root / "src" / target).exists():
        return "no such file below src/: name our headers from src/ on, those of others in angle brackets"
    other = target.split("/")[0]
    if other not in allowed(module):
        return f"{module} may not include {other} (docs/design/layers.md)"
    return None


def check_foreign(root, path, module, target):
    """What is wrong with `#include <target>`, or nothing."""
    if (root / "src" / target).exists():
        return "our own headers go in quotes"
    if target.startswith(("gtest/", "gmock/", "benchmark/")):
        return None if path.name in TEST_FILES else "a test library outside the tests"
    for prefix, owners in THIRD_PARTY.items():
        if target.startswith(prefix) and module not in owners:
            return f"only {', '.join(owners)} may include it"
    return None


def check_installed(path, opening, target):
    """Installed headers include the standard library and each other."""
    if opening == '"':
        return "installed headers name each other as <brisk/...>"
    if target.startswith("brisk/") or re.fullmatch(r"[a-z_]+(\.h)?", target):
        return None
    return "installed headers include only the standard library and each other"


def check(root, _):
    offences = []
    count = 0
    for path in tree.files(root, tree.CPP_SUFFIXES, ("src", "cli", "python", "include")):
        installed = path.parts[0] == "include"
        module = module_of(path)
        if module is None and not installed:
            offences.append(tree.Offence(str(path), 1, "belongs to no module"))
            continue
        if not installed and module not in CHAIN + ENDS and module not in BESIDE:
            offences.append(tree.Offence(str(path), 1, f"{module} is not a module of docs/design/layers.md"))
            continue
        text = tree.blank_comments(tree.read(root / path), literals=False)
        for match in INCLUDE.finditer(text):
            count += 1
            opening, target = match["open"], match["path"]
            if installed:
                what = check_installed(path, opening, target)
            elif opening == '"':
                what = check_ours(root, path, module, target)
            else:
                what = check_foreign(root, path, module, target)
            if what:
                offences.append(tree.Offence(str(path), tree.line_of(text, match.start()), f"include of {target}: {what}"))
    return offences, f"{count} includes"


if __name__ == "__main__":
    tree.run(__doc__, check)
