"""Brisk: neural-network inference on ordinary machines.

    import brisk

    model = brisk.load("model.gguf")
    prompt = model.render_chat([{"role": "user", "content": "Hello!"}])
    for piece in model.generate(prompt, max_tokens=100, stream=True):
        print(piece, end="", flush=True)

Every error is a brisk.Error; its class says of which kind, and its attributes `where`, `expected`, `got`
and `hint` are the parts of its message.
"""

from ._core import (
    BadInputError,
    Cancelled,
    EnvironmentFailure,
    Error,
    Generation,
    InternalError,
    Model,
    Stream,
    Tokenizer,
    UsageError,
    __version__,
    decode_blocks,
    load,
    tokenizer,
)

__all__ = [
    "BadInputError",
    "Cancelled",
    "EnvironmentFailure",
    "Error",
    "Generation",
    "InternalError",
    "Model",
    "Stream",
    "Tokenizer",
    "UsageError",
    "__version__",
    "decode_blocks",
    "load",
    "tokenizer",
]
