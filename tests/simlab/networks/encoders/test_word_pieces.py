"""Sentences as word pieces, at known answers; the published tokens of BERT's own tests are among them."""

import pytest

from simlab.networks.encoders.word_pieces import WordPieces, read_vocabulary

pytestmark = pytest.mark.quick

VOCABULARY = (
    *("[UNK]", "[CLS]", "[SEP]", "[PAD]", "want", "##want", "##ed", "wa", "un", "runn", "##ing", ",", "low", "lowest"),
    *("e", "hello", "!", "a", "##a", "你"),
)


@pytest.fixture(scope="module")
def pieces():
    return WordPieces(VOCABULARY)


def tokens(pieces, text):
    return [pieces.tokens[number] for number in pieces.encode(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("UNwant\u00e9d,running", ["un", "##want", "##ed", ",", "runn", "##ing"]),  # from BERT's published tests
        ("unwantedX running", ["[UNK]", "runn", "##ing"]),
        (" \tHeLLo!\n", ["hello", "!"]),
        ("H\u00e9llo", ["hello"]),
        ("hel\u0000lo\ufffd he\u200bllo", ["hello", "hello"]),
        ("lowest low", ["lowest", "low"]),
        ("a你a", ["a", "你", "a"]),
        ("a" * 100, ["a", *["##a"] * 99]),
        ("a" * 101, ["[UNK]"]),
        ("", []),
    ],
)
def test_known_answers(pieces, text, wanted):
    assert tokens(pieces, text) == wanted


def test_a_cased_model_keeps_case_and_accents():
    cased = WordPieces(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "A", "\u00e9"), lower_case=False)
    assert tokens(cased, "A a \u00e9 e") == ["A", "[UNK]", "\u00e9", "[UNK]"]


def test_words_are_split_at_punctuation(pieces):
    assert list(pieces.words("It's (so-called) $5.")) == ["it", "'", "s", "(", "so", "-", "called", ")", "$", "5", "."]


def test_a_vocabulary_is_read_line_by_line(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes("[PAD]\r\n\u2028\na\n".encode())
    assert read_vocabulary(path) == ("[PAD]", "\u2028", "a")
    with pytest.raises(ValueError, match=r"^vocab.txt: expected a line \[UNK\], got '3 others'$"):
        WordPieces(read_vocabulary(path))
