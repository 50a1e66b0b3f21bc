"""The one kind of error that the recipe reports: four parts and an exit code, as the engine's own errors."""

import json


class RecipeError(Exception):
    def __init__(self, where, expected, got, hint, code=4):
        super().__init__(where)
        self.parts = {"where": where, "expected": expected, "got": got, "hint": hint}
        self.code = code

    def text(self):
        return "error: {where}: expected {expected}, got {got}; try {hint}".format(**self.parts)

    def json(self):
        return json.dumps({"error": self.parts | {"code": self.code}})
