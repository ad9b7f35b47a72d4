"""Parts of the held-out playlists that are measured on their own: who is served well, and who is not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.playlists.heldout_file import Heldout

HEAD, TAIL = 0.2, 0.2  # of all occurrences in training


@dataclass(frozen=True)
class Slice:
    """Some playlists, and those of their songs that are to be found.

    Attributes:
        by: what the playlists are divided by.
        name: the name of this slice.
        sentence: what is in it, for people.
        playlists: int64 (chosen playlists,), which ones.
        hidden: the songs to find in each of the chosen ones, at least one.
    """

    by: str
    name: str
    sentence: str
    playlists: Ints
    hidden: Ragged


def slices(heldout: Heldout, popularity: Vocabulary) -> Iterator[Slice]:
    """The parts that have a playlist: by length, by the popularity of the hidden songs, by source."""
    yield from _by_length(heldout)
    yield from _by_popularity(heldout.hidden, popularity)
    if heldout.sources is not None:
        for source in np.unique(heldout.sources).tolist():
            yield from _of_playlists("source", source, f"playlists from {source}", heldout, heldout.sources == source)


def _by_length(heldout: Heldout) -> Iterator[Slice]:
    """Up to the median length, and longer."""
    lengths = heldout.shown.lengths
    cut = int(np.median(lengths))
    by, limit = "playlist length", f"{cut:,} song{'s' * (cut != 1)} shown"
    yield from _of_playlists(by, "short", f"playlists with up to {limit}", heldout, lengths <= cut)
    yield from _of_playlists(by, "long", f"playlists with more than {limit}", heldout, lengths > cut)


def _by_popularity(hidden: Ragged, popularity: Vocabulary) -> Iterator[Slice]:
    """Head: the most popular songs, with 20 % of all occurrences; tail: the rarest, with 20 %, and unknown ones.

    As Abdollahpouri et al. 2021 cut them, "User-centered Evaluation of Popularity Bias in Recommender Systems";
    songs that occur equally often stay together.
    """
    falling = np.sort(popularity.counts)[::-1]
    occurrences = np.cumsum(falling)
    high = int(falling[np.searchsorted(occurrences, HEAD * occurrences[-1])])
    low = int(falling[np.searchsorted(occurrences, (1 - TAIL) * occurrences[-1], side="right")])
    counts = popularity.counts_of(hidden.flat)
    head = counts >= high
    tail = ~head & (counts <= low)
    parts = {
        "head": (f"songs seen {high:,} times or more in training", head),
        "middle": (f"songs seen more often than {low:,} and less than {high:,} times", ~head & ~tail),
        "tail": (f"songs seen {min(low, high - 1):,} times or less, or never", tail),
    }
    for name, (sentence, songs) in parts.items():
        part = hidden.where(songs)
        has_songs = part.lengths > 0
        if has_songs.any():
            yield Slice("song popularity", name, sentence, np.flatnonzero(has_songs), part.only(has_songs))


def _of_playlists(by: str, name: str, sentence: str, heldout: Heldout, chosen: NDArray[np.bool_]) -> Iterator[Slice]:
    if chosen.any():
        yield Slice(by, name, sentence, np.flatnonzero(chosen), heldout.hidden.only(chosen))
