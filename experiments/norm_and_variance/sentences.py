"""A corpus of sentences as batches of token indices: truncated, grouped by token, ordered by length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from jaxtyping import Bool, Int

    from simlab.networks.encoders.word_pieces import WordPieces

SHIPPED = Path(__file__).parent / "corpus" / "wordnet_sentences.txt"
# Padded lengths are multiples of this, so that few programs are compiled.
LENGTH_STEP = 8
TOKENS_PER_BATCH = 1024
# Maximum number of tokens with a separate group, which bounds the memory of a pass for any corpus.
MOST_GROUPS = 4000


def read_corpus(path: Path) -> tuple[str, ...]:
    """Return the sentences of a file, one per line, without blank lines.

    Raises:
        ValueError: the file cannot be read, a line is not UTF-8 (the message gives its number), or it is empty.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise invalid("corpus", "a file with one sentence per line", f"{path} ({error.strerror})") from None
    sentences = []
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf8").strip()
        except UnicodeDecodeError as error:
            raise invalid("corpus", "UTF-8", f"{path}, line {number}: {error.reason}") from None
        if text:
            sentences.append(text.removeprefix("\ufeff"))
    if not sentences:
        raise invalid("corpus", "at least one sentence", f"{path}, which is empty")
    return tuple(sentences)


class Batch(NamedTuple):
    """Sentences of similar length, as arrays of the same shape.

    Attributes:
        ids: vocabulary indices of the tokens, including special tokens and padding.
        groups: group of each token; -1 for padding.
        is_word: whether a position holds a token of the sentence, neither special nor padding.
    """

    ids: Int[np.ndarray, "B L"]
    groups: Int[np.ndarray, "B L"]
    is_word: Bool[np.ndarray, "B L"]


@dataclass(frozen=True)
class TokenGroups:
    """The tokens that have a separate group.

    Attributes:
        tokens: their vocabulary indices, most frequent first, then special tokens; one further group, the last, holds
            all other tokens.
        counts: number of occurrences of each.
        n_special: number of special tokens.
        n_rare: number of different tokens that are too rare for a separate group.
        n_rare_occurrences: total number of their occurrences.
    """

    tokens: Int[np.ndarray, " T"]
    counts: Int[np.ndarray, " T"]
    n_special: int
    n_rare: int
    n_rare_occurrences: int

    @property
    def n_groups(self) -> int:
        """Number of groups, including that of the rare tokens."""
        return len(self.tokens) + 1

    @property
    def words(self) -> slice:
        """The groups of frequent words."""
        return slice(0, len(self.tokens) - self.n_special)

    @property
    def special(self) -> slice:
        """The groups of special tokens."""
        return slice(len(self.tokens) - self.n_special, len(self.tokens))


class EncodedCorpus:
    """A corpus as token indices.

    Args:
        sentences: at least one sentence.
        pieces: the tokenizer of the encoder.
        n_positions: maximum length including the two special tokens; longer sentences are truncated.
        least_count: minimum number of occurrences of a token with a separate group.
        most_groups: maximum number of such tokens; the most frequent are chosen.

    Raises:
        ValueError: no sentence has a token, or a number is out of range.
    """

    def __init__(
        self,
        sentences: Sequence[str],
        pieces: WordPieces,
        n_positions: int,
        least_count: int,
        most_groups: int = MOST_GROUPS,
    ):
        check_count("least_count", least_count, 2)
        self.pieces = pieces
        encoded = [pieces.encode(sentence) for sentence in sentences]
        self.n_cut = sum(len(ids) > n_positions - 2 for ids in encoded)
        self.n_empty = sum(not ids for ids in encoded)
        self.rows = [[pieces.begin, *ids[: n_positions - 2], pieces.end] for ids in encoded if ids]
        if not self.rows:
            raise invalid("corpus", "a sentence with at least one token", f"{len(sentences)} without any")
        self.n_positions, self.least_count, self.most_groups = n_positions, least_count, most_groups

    @cached_property
    def groups(self) -> TokenGroups:
        """The tokens with a separate group, and counts of the others."""
        counts = np.bincount(np.concatenate([row[1:-1] for row in self.rows]), minlength=len(self.pieces.tokens))
        special = np.array([self.pieces.begin, self.pieces.end])
        order = np.argsort(-counts, kind="stable")
        frequent = order[counts[order] >= self.least_count][: self.most_groups]
        is_rare = counts > 0
        is_rare[frequent] = False
        return TokenGroups(
            tokens=np.concatenate([frequent, special]),
            counts=np.concatenate([counts[frequent], [len(self.rows)] * 2]),
            n_special=2,
            n_rare=int(is_rare.sum()),
            n_rare_occurrences=int(counts[is_rare].sum()),
        )

    @cached_property
    def _order(self) -> Int[np.ndarray, " N"]:
        return np.argsort([len(row) for row in self.rows], kind="stable")

    @cached_property
    def _slices(self) -> list[tuple[int, int, int]]:
        """First and last sentence and padded length of each batch, in order of length."""
        lengths = [len(self.rows[index]) for index in self._order]
        slices, start = [], 0
        while start < len(lengths):
            length = min(-(-lengths[start] // LENGTH_STEP) * LENGTH_STEP, self.n_positions)
            size = max(1, TOKENS_PER_BATCH // length)
            fitting = int(np.searchsorted(lengths, length, side="right"))
            end = min(start + size, fitting)
            slices.append((start, end, length))
            start = end
        return slices

    def __len__(self) -> int:
        return len(self._slices)

    @property
    def fingerprint(self) -> str:
        """A hash of the tokens, their order and their groups."""
        text = f"{self.n_positions} {self.least_count} {self.most_groups} {self.rows}"
        return hashlib.sha256(text.encode()).hexdigest()

    def batches(self, begin: int = 0) -> Iterator[Batch]:
        """Yield the batches from index ``begin`` on; equal lengths have equal shapes, padded with empty rows."""
        group_of = np.full(len(self.pieces.tokens), self.groups.n_groups - 1)
        words, special = self.groups.tokens[self.groups.words], self.groups.tokens[self.groups.special]
        group_of[words] = np.arange(len(words))
        for start, end, length in self._slices[begin:]:
            rows = [self.rows[index] for index in self._order[start:end]]
            shape = (max(1, TOKENS_PER_BATCH // length), length)
            ids, groups = np.full(shape, self.pieces.padding, np.int32), np.full(shape, -1, np.int32)
            is_word = np.zeros(shape, bool)
            for place, row in enumerate(rows):
                ids[place, : len(row)] = row
                groups[place, : len(row)] = group_of[row]
                groups[place, [0, len(row) - 1]] = len(words) + np.arange(len(special))
                is_word[place, 1 : len(row) - 1] = True
            yield Batch(ids, groups, is_word)
