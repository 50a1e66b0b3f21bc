"""Our token ids are those of HF tokenizers built from the same vocabulary."""

import brisk
import pytest


@pytest.fixture(scope="module")
def tokenizer(model_path):
    return brisk.tokenizer(str(model_path))


def test_wikipedia(tokenizer, reference_tokenizer, articles):
    compared = 0
    for article in articles:
        expected = reference_tokenizer.encode(article).ids
        assert tokenizer.encode(article) == expected
        assert tokenizer.decode(expected) == article
        compared += len(expected)
    print(f"\n{compared} tokens of {len(articles)} articles equal")
    assert compared > 500_000


TEXTS = [
    "",
    " ",
    "   three spaces, then  two",
    "\n\n\t tabs\r\nand lines \n",
    "1234567890 3.14 1,000",
    "don't we'll I'M they'Ve",
    "naïve café Ελληνικά русский 日本語 العربية हिन्दी",
    "👩‍👩‍👧‍👦 🇫🇷 e\u0301",
    "<|im_start|>user\nHi<|im_end|>",
    "<|im_start|<|im_end|> <|endoftext|>",
    "a\u00a0b\u2003c\u200bd",
    "x" * 3000,
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_odd_texts(tokenizer, reference_tokenizer, text):
    expected = reference_tokenizer.encode(text).ids
    assert tokenizer.encode(text) == expected
    assert tokenizer.decode(expected) == text
