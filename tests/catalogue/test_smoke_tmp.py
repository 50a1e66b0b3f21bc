import models
from harness import Case
def test_ok(catalogue):
    catalogue.check(
        Case("g", ["run", "{dir}/m.gguf", "-n", "1", "-p", "x", "--json"], {"m.gguf": models.tiny_gguf().data()}, codes=(0,), check=lambda r: print(r) ),
        Case("f", ["run", "{dir}/m", "-n", "1", "-p", "x", "--json"], {"m/" + k: v for k, v in models.tiny_folder().items()}, codes=(0,), check=lambda r: print(r)),
        Case("v", ["tokenize", "{dir}/m.gguf", "-p", "x", "--json"], {"m.gguf": models.vocabulary_gguf(models.TOKENS).data()}, codes=(0,), check=lambda r: print(r)),
        Case("bad", ["tokenize", "{dir}/m.gguf", "-p", "x", "--json"], {"m.gguf": b"x"}, check=lambda r: print(r)),
    )
