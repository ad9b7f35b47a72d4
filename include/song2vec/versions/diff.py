"""What differs between two versions: settings, data, metrics, and the neighbours of songs."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from song2vec.metrics.stability import stability
from song2vec.metrics.text import METRICS, title
from song2vec.playlists.changes import Changes, compare, in_words
from song2vec.records import Count, Figures, Metrics, Part, Real, Stability
from song2vec.versions.live_data import data_of
from song2vec.versions.records import read_record
from song2vec_client.format.fields import time_text
from song2vec_client.format.records import Manifest
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore
from song2vec_client.version import Version

_COUNTS = ("rows", "playlists", "songs")
_OWN = "each on the playlists that its own run held out: the figures compare roughly"
_SAME = "on the same held-out playlists"


class Facts(Part):
    """A version, what the gate said of it, and when it was published."""

    version: str
    status: str
    published: str


class SettingDiff(Part):
    """A setting that differs; None where a version did not know it."""

    setting: str
    old: Any
    new: Any


class CountDiff(Part):
    """A count of the funnel; None where a version kept none."""

    of: str
    old: Count | None
    new: Count | None


class DataDiff(Part):
    """The data of both.

    Attributes:
        same: whether both were trained on the same playlists.
        counts: those of the funnels.
        changes: what changed; None where a version kept no index of its playlists.
    """

    same: bool
    counts: tuple[CountDiff, ...]
    changes: Changes | None


class FigureDiff(Part):
    """A metric by its title; None where it was not measured."""

    metric: str
    old: Real
    new: Real


class MetricsDiff(Part):
    """How good both are; `measured`: on what."""

    measured: str
    figures: tuple[FigureDiff, ...]


class Diff(Part):
    """What differs between the versions `old` and `new`."""

    old: Facts
    new: Facts
    settings: tuple[SettingDiff, ...]
    data: DataDiff
    metrics: MetricsDiff
    neighbours: Stability


def diff(bucket: Bucket, old: str, new: str, songs: int) -> Diff:
    """Compare two versions; both models are pulled, verified and asked.

    Args:
        bucket: the model store.
        old: a version, or a channel that names it.
        new: the same.
        songs: how many songs' neighbours are compared, at most.

    Raises:
        NotFoundError: there is no such version or channel.
        CorruptModelError: a file is not what its manifest says.
        DataError: a record is damaged.
    """
    store = ModelStore.of(bucket)
    before, after = store.version(old), store.version(new)
    return Diff(
        old=_facts(before.manifest),
        new=_facts(after.manifest),
        settings=differing_settings(before.manifest.settings, after.manifest.settings),
        data=_data(before, after),
        metrics=_metrics(before, after),
        neighbours=stability(before.load(), after.load(), songs),
    )


def differing_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[SettingDiff, ...]:
    """The settings that differ, by name."""
    before, after = _flat(old), _flat(new)
    return tuple(
        SettingDiff(setting=name, old=before.get(name), new=after.get(name))
        for name in sorted(before | after)
        if before.get(name) != after.get(name)
    )


def diff_page(differences: Diff) -> str:
    """What `diff` found, in plain text."""
    data, metrics = differences.data, differences.metrics
    versions = (differences.old.version, differences.new.version)
    facts = [["old", *differences.old.to_json().values()], ["new", *differences.new.to_json().values()]]
    sections = [
        tabulate(facts, tablefmt="plain"),
        "Settings that differ\n" + (_table(differences.settings, versions, ".6g") or "no setting differs"),
        _section("Data", data.counts, versions, "neither version kept figures of its data", _data_in_words(data)),
        _section("Metrics", metrics.figures, versions, "neither version was measured", f"({metrics.measured})"),
        f"Neighbours\n{_neighbours_in_words(differences.neighbours)}",
    ]
    return "\n\n".join(sections)


def _facts(manifest: Manifest) -> Facts:
    return Facts(version=manifest.version, status=manifest.status, published=time_text(manifest.created))


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{section}.{name}": value
        for section, values in settings.items()
        if isinstance(values, Mapping)
        for name, value in values.items()
    }


def _data(before: Version, after: Version) -> DataDiff:
    old, new = data_of(before), data_of(after)
    fingerprint = before.manifest.data_fingerprint
    counts = [
        CountDiff(of=name, old=getattr(old.funnel, name, None), new=getattr(new.funnel, name, None)) for name in _COUNTS
    ]
    return DataDiff(
        same=bool(fingerprint) and fingerprint == after.manifest.data_fingerprint,
        counts=tuple(counts) if old.funnel or new.funnel else (),
        changes=compare(old.index, new.index) if old.index is not None and new.index is not None else None,
    )


def _metrics(before: Version, after: Version) -> MetricsDiff:
    """The old version's figures are those that the new one's run measured of it, if it did."""
    old, new = (read_record(version, Metrics) for version in (before, after))
    together = new.live if new and new.live_version == before.name else None
    first = together or (old.model if old else Figures())
    second = new.model if new else Figures()
    names = [name for name in METRICS if name in first.model_fields_set | second.model_fields_set]
    titled = new or old or Metrics(model=Figures())
    return MetricsDiff(
        measured=_SAME if together else _OWN,
        figures=tuple(
            FigureDiff(metric=title(name, titled), old=getattr(first, name), new=getattr(second, name))
            for name in names
        ),
    )


def _section(title: str, rows: Sequence[Part], versions: tuple[str, str], without: str, note: str) -> str:
    table = _table(rows, versions, ".3f")
    return "\n".join([title, *filter(None, [table, note] if table else [without])])


def _table(rows: Sequence[Part], versions: tuple[str, str], floats: str) -> str:
    """The rows under the names of the versions; `floats`: the format of what is no whole number."""
    if not rows:
        return ""
    table = [[_written(value, floats) for value in row.to_json().values()] for row in rows]
    headers = [next(iter(type(rows[0]).model_fields)), *versions]
    return tabulate(table, headers, disable_numparse=True, colalign=("left", "right", "right"))


def _written(value: Any, floats: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:{floats}}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _data_in_words(data: DataDiff) -> str:
    if data.same:
        return "The same playlists."
    return f"From old to new: {in_words(data.changes)}." if data.changes else ""


def _neighbours_in_words(neighbours: Stability) -> str:
    songs = f"{neighbours.songs_kept:,} songs in both, {neighbours.songs_new:,} new, {neighbours.songs_gone:,} gone"
    if neighbours.neighbours_kept is None:
        return f"{songs}: there are no neighbours to compare."
    kept = f"{neighbours.neighbours_kept:.1%} of the {neighbours.at} songs nearest to a song are the same"
    return f"{kept}, by {neighbours.sampled:,} songs that both know; {songs}."
