"""What differs between two versions: settings, data, metrics, and the neighbours of songs."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from song2vec.metrics.stability import stability
from song2vec.metrics.text import METRICS, title
from song2vec.playlists.changes import compare, in_words
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


def diff(bucket: Bucket, old: str, new: str, songs: int) -> dict[str, Any]:
    """Compare two versions; both models are pulled, verified and asked.

    Args:
        bucket: the model store.
        old: a version, or a channel that names it.
        new: the same.
        songs: how many songs' neighbours are compared, at most.

    Returns:
        ``{"old", "new", "settings", "data", "metrics", "neighbours"}``: the versions with their status and time; the
        settings that differ; what counts of the funnel and what changed in the data; the metrics and on what they
        were measured; what `stability` gives.

    Raises:
        NotFoundError: there is no such version or channel.
        CorruptModelError: a file is not what its manifest says.
    """
    store = ModelStore.of(bucket)
    before, after = store.version(old), store.version(new)
    return {
        "old": _facts(before.manifest),
        "new": _facts(after.manifest),
        "settings": differing_settings(before.manifest.settings, after.manifest.settings),
        "data": _data(before, after),
        "metrics": _metrics(before, after),
        "neighbours": stability(before.load(), after.load(), songs),
    }


def differing_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings that differ, as ``{"setting", "old", "new"}``; None where a version did not know it."""
    before, after = _flat(old), _flat(new)
    return [
        {"setting": name, "old": before.get(name), "new": after.get(name)}
        for name in sorted(before | after)
        if before.get(name) != after.get(name)
    ]


def diff_page(record: Mapping[str, Any]) -> str:
    """What `diff` found, in plain text."""
    data, metrics = record["data"], record["metrics"]
    versions = (record["old"]["version"], record["new"]["version"])
    sections = [
        tabulate([[name, *record[name].values()] for name in ("old", "new")], tablefmt="plain"),
        "Settings that differ\n" + (_table(record["settings"], versions, ".6g") or "no setting differs"),
        _section("Data", data["counts"], versions, "neither version kept figures of its data", _data_in_words(data)),
        _section("Metrics", metrics["figures"], versions, "neither version was measured", f"({metrics['measured']})"),
        f"Neighbours\n{_neighbours_in_words(record['neighbours'])}",
    ]
    return "\n\n".join(sections)


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {"version": manifest.version, "status": manifest.status, "published": time_text(manifest.created)}


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{section}.{name}": value
        for section, values in settings.items()
        if isinstance(values, Mapping)
        for name, value in values.items()
    }


def _data(before: Version, after: Version) -> dict[str, Any]:
    old, new = data_of(before), data_of(after)
    fingerprint = before.manifest.data_fingerprint
    return {
        "same": bool(fingerprint) and fingerprint == after.manifest.data_fingerprint,
        "counts": [
            {"of": name, "old": old.funnel.get(name), "new": new.funnel.get(name)}
            for name in _COUNTS
            if name in old.funnel or name in new.funnel
        ],
        "changes": compare(old.index, new.index) if old.index is not None and new.index is not None else {},
    }


def _metrics(before: Version, after: Version) -> dict[str, Any]:
    """The old version's figures are those that the new one's run measured of it, if it did."""
    old, new = (read_record(version, "metrics.json") for version in (before, after))
    together = new.get("live_version") == before.name and "live" in new
    first, second = (new["live"] if together else old.get("model", {})), new.get("model", {})
    figures = [
        {"metric": title(name, new or old), "old": first.get(name), "new": second.get(name)}
        for name in METRICS
        if name in first or name in second
    ]
    return {"measured": _SAME if together else _OWN, "figures": figures}


def _section(title: str, rows: Sequence[Mapping[str, Any]], versions: tuple[str, str], without: str, note: str) -> str:
    table = _table(rows, versions, ".3f")
    return "\n".join([title, *filter(None, [table, note] if table else [without])])


def _table(rows: Sequence[Mapping[str, Any]], versions: tuple[str, str], floats: str) -> str:
    """The rows under the names of the versions; `floats`: the format of what is no whole number."""
    if not rows:
        return ""
    table = [[_written(value, floats) for value in row.values()] for row in rows]
    headers = [next(iter(rows[0])), *versions]
    return tabulate(table, headers, disable_numparse=True, colalign=("left", "right", "right"))


def _written(value: Any, floats: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:{floats}}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _data_in_words(data: Mapping[str, Any]) -> str:
    if data["same"]:
        return "The same playlists."
    return f"From old to new: {in_words(data['changes'])}." if data["changes"] else ""


def _neighbours_in_words(found: Mapping[str, Any]) -> str:
    songs = "{songs_kept:,} songs in both, {songs_new:,} new, {songs_gone:,} gone".format_map(found)
    if found["neighbours_kept"] is None:
        return f"{songs}: there are no neighbours to compare."
    kept = f"{found['neighbours_kept']:.1%} of the {found['at']} songs nearest to a song are the same"
    return f"{kept}, by {found['sampled']:,} songs that both know; {songs}."
