"""The reference model, its tokenizer, and the text, made once for all parity tests."""

import reference
import pytest

TOKENS = 2000


@pytest.fixture(scope="session")
def model_file(model_path):
    return reference.ModelFile(model_path)


@pytest.fixture(scope="session")
def reference_tokenizer(model_file):
    return model_file.tokenizer()


@pytest.fixture(scope="session")
def articles(wikipedia_file):
    return list(reference.wikipedia_articles(wikipedia_file))


@pytest.fixture(scope="session")
def tokens(articles, reference_tokenizer):
    """The first 2,000 tokens of the text."""
    ids = reference_tokenizer.encode(articles[0][:20000]).ids[:TOKENS]
    assert len(ids) == TOKENS
    return ids
