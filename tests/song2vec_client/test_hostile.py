"""Whatever lies in a bucket, a client gets the model that was published or a clear refusal, and nothing else."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rig.gcs import blob
from tests.rig.models import SONGS, publish_model, write_model

from song2vec.channels import promote
from song2vec_client import ModelStore
from song2vec_client.errors import CorruptModelError, NotFoundError, Song2VecError, UnsupportedFormatError
from song2vec_client.format.digests import digest
from song2vec_client.format.layout import MODEL_FILES, TWO_WAY
from song2vec_client.format.records import FileEntry, Manifest
from song2vec_client.model import SongModel


@dataclass
class Victim:
    """A store in which somebody may write whatever they like, and a client of it."""

    store: str
    manifest: Manifest
    models: ModelStore
    disk: Path

    def read(self, name: str) -> bytes:
        content: bytes = blob(self.store, name).download_as_bytes()
        return content

    def write(self, name: str, content: bytes) -> None:
        blob(self.store, name).upload_from_string(content)

    @property
    def in_manifest(self) -> str:
        return f"versions/{self.manifest.version}/manifest.json"

    def change_manifest(self, **changes: object) -> None:
        self.write(self.in_manifest, json.dumps(self.manifest.to_json() | changes).encode())

    def change_pointer(self, **changes: object) -> None:
        pointer = json.loads(self.read("channels/production.json"))
        self.write("channels/production.json", json.dumps(pointer | changes).encode())

    def overwrite(self, path: str, content: bytes) -> None:
        self.write(f"versions/{self.manifest.version}/{path}", content)

    def replace(self, path: str, content: bytes) -> None:
        """Another file, with its digests in the manifest."""
        self.overwrite(path, content)
        found = digest(content)
        entry = FileEntry(path, found.size, found.sha256, found.crc32c).to_json()
        files = [entry if old.path == path else old.to_json() for old in self.manifest.files]
        self.change_manifest(files=files)

    def name_file(self, path: str) -> None:
        """A manifest that names one more file."""
        first, *_ = files = [entry.to_json() for entry in self.manifest.files]
        self.change_manifest(files=[first | {"path": path}, *files])

    def leave_out(self, path: str) -> None:
        """A manifest that names one file fewer."""
        self.change_manifest(files=[entry.to_json() for entry in self.manifest.files if entry.path != path])

    def files_on_disk(self) -> set[str]:
        return {str(path.relative_to(self.disk)) for path in self.disk.rglob("*")}


@pytest.fixture
def victim(bucket, store, tmp_path):
    manifest = publish_model(bucket, tmp_path / "model", scoring=TWO_WAY)
    promote(bucket, "production", manifest.version, who="test", why="first")
    return Victim(store, manifest, ModelStore(store, cache=tmp_path / "disk" / "a" / "b" / "cache"), tmp_path)


def _npy(shape: object, kind: object = "<f4", content: bytes = b"", padding: int = 0) -> bytes:
    text = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode() + b" " * padding + b"\n"
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text + content


def _vectors(victim: Victim) -> bytes:
    return victim.read(f"versions/{victim.manifest.version}/vectors.npy")


def _flip(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _pickled(tmp: Path) -> bytes:
    np.save(tmp / "evil.npy", np.array([{"a": 1}] * len(SONGS)), allow_pickle=True)
    return (tmp / "evil.npy").read_bytes()


Attack = Callable[[Victim], Any]

NOWHERE = "20250101T000000Z-00000000"
CHANNEL = "production"

BY_FILES: dict[str, tuple[Attack, type[Song2VecError], str]] = {
    "flipped": (lambda v: v.overwrite("vectors.npy", _flip(_vectors(v))), CorruptModelError, "vectors.npy is damaged"),
    "truncated": (lambda v: v.overwrite("vectors.npy", _vectors(v)[:-1]), CorruptModelError, "vectors.npy is damaged"),
    "emptied": (lambda v: v.overwrite("vectors.npy", b""), CorruptModelError, "vectors.npy is damaged"),
    "endless": (lambda v: v.overwrite("vectors.npy", _vectors(v) * 50_000), CorruptModelError, "larger than"),
    "gone": (lambda v: blob(v.store, f"versions/{v.manifest.version}/songs.npy").delete(), NotFoundError, "songs.npy"),
    "a pickle": (lambda v: v.replace("songs.npy", _pickled(v.disk)), CorruptModelError, "songs.npy is not a plain"),
    "a bare pickle": (lambda v: v.replace("songs.npy", b"\x80\x04N."), CorruptModelError, "songs.npy is not a plain"),
    "a zip": (lambda v: v.replace("songs.npy", b"PK\x03\x04" + bytes(99)), CorruptModelError, "songs.npy is not"),
    "absurd": (lambda v: v.replace("vectors.npy", _npy((2**40, 2**40))), CorruptModelError, "vectors.npy is not"),
    "overflowing": (lambda v: v.replace("vectors.npy", _npy((2**62, 2))), CorruptModelError, "vectors.npy is not"),
    "negative": (lambda v: v.replace("vectors.npy", _npy((-6, -2))), CorruptModelError, "vectors.npy"),
    "many axes": (lambda v: v.replace("vectors.npy", _npy((1,) * 99)), CorruptModelError, "vectors.npy"),
    "huge header": (lambda v: v.replace("vectors.npy", _npy((6, 2), padding=2**20)), CorruptModelError, "vectors.npy"),
    "other shapes": (lambda v: v.replace("context.npy", _npy((1, 2), content=bytes(8))), CorruptModelError, "context"),
    "records": (lambda v: v.replace("counts.npy", _npy((6,), [("a", "<i8")], bytes(48))), CorruptModelError, "counts"),
    "not numbers": (
        lambda v: v.replace("vectors.npy", _npy((6, 2), content=np.full(12, np.nan, "<f4").tobytes())),
        CorruptModelError,
        "NaN",
    ),
    "a song twice": (
        lambda v: v.replace("songs.npy", _npy((6,), "<i8", bytes(48))),
        CorruptModelError,
        "holds a song twice",
    ),
    **{
        f"{what} for neighbours": (
            partial(
                Victim.replace, path=f"{name}.npy", content=_npy((6, 2), kind, np.full(12, number, kind).tobytes())
            ),
            CorruptModelError,
            name,
        )
        for what, name, kind, number in (
            ("rows of no song", "neighbours", "<i4", 6),
            ("rows before the first", "neighbours", "<i4", -1),
            ("rows far away", "neighbours", "<i4", 2**31 - 1),
            ("wide rows", "neighbours", "<i8", 0),
            ("negative weights", "neighbour_weights", "<f2", -1),
            ("no numbers", "neighbour_weights", "<f2", np.nan),
            ("endless weights", "neighbour_weights", "<f2", np.inf),
            ("wide weights", "neighbour_weights", "<f4", 1),
        )
    },
    "other weights": (
        lambda v: v.replace("neighbour_weights.npy", _npy((6, 1), "<f2", bytes(12))),
        CorruptModelError,
        "neighbour_weights",
    ),
    "negative counts": (
        lambda v: v.replace("counts.npy", _npy((6,), "<i8", np.full(6, -1, "<i8").tobytes())),
        CorruptModelError,
        "negative count",
    ),
    "no neighbours": (
        lambda v: blob(v.store, f"versions/{v.manifest.version}/neighbours.npy").delete(),
        NotFoundError,
        "neighbours.npy",
    ),
}

BY_MANIFEST: dict[str, tuple[Attack, type[Song2VecError], str]] = {
    **{
        f"the path {path[:20]!r}": (partial(Victim.name_file, path=path), CorruptModelError, "relative POSIX path")
        for path in (
            "../../escaped.npy", "/etc/escaped.npy", "a/../../escaped.npy", "..", ".", "", "a//b", "a/./b", "C:\\x",
            "..\\..\\escaped.npy", "a\x00b", "a\nb", "x" * 600,
        )
    },
    "a file twice": (lambda v: v.name_file("vectors.npy"), CorruptModelError, "each path once"),
    "itself": (lambda v: v.name_file("manifest.json"), CorruptModelError, "no entry for the manifest itself"),
    "no files": (lambda v: v.change_manifest(files=[]), CorruptModelError, "has no vectors.npy"),
    "a negative size": (
        lambda v: v.change_manifest(files=[v.manifest.files[0].to_json() | {"size": -1}]),
        CorruptModelError,
        "a number of bytes",
    ),
    "another version": (lambda v: v.change_manifest(version=NOWHERE), CorruptModelError, "of another version"),
    "no neighbours": (lambda v: v.leave_out("neighbours.npy"), CorruptModelError, "has no neighbours.npy"),
    "no weights": (lambda v: v.leave_out("neighbour_weights.npy"), CorruptModelError, "has no neighbour_weights.npy"),
    "another scoring": (lambda v: v.change_manifest(scoring="no-way"), CorruptModelError, "one-way or two-way"),
    "a newer format": (lambda v: v.change_manifest(format=3), UnsupportedFormatError, "upgrade song2vec-client"),
    "a format that never was": (lambda v: v.change_manifest(format=0), CorruptModelError, "format"),
    "an endless manifest": (lambda v: v.write(v.in_manifest, b" " * 2**26), CorruptModelError, "larger than"),
    "deep nesting": (lambda v: v.write(v.in_manifest, b"[" * 10**6), CorruptModelError, "not a JSON record"),
    "no JSON": (lambda v: v.write(v.in_manifest, b"\xff\xfe"), CorruptModelError, "not a JSON record"),
    "nothing": (lambda v: v.write(v.in_manifest, b""), CorruptModelError, "not a JSON record"),
}  # fmt: skip

BY_POINTER: dict[str, tuple[Attack, type[Song2VecError], str]] = {
    "a pointer to nowhere": (lambda v: v.change_pointer(version=NOWHERE), NotFoundError, f"no version {NOWHERE}"),
    "a pointer outside": (lambda v: v.change_pointer(version="../../x"), CorruptModelError, "version"),
    "another channel's": (lambda v: v.change_pointer(channel="candidate"), CorruptModelError, "belongs to candidate"),
    "a newer pointer": (lambda v: v.change_pointer(format=2), UnsupportedFormatError, "upgrade song2vec-client"),
    "another digest": (lambda v: v.change_pointer(manifest_sha256="0" * 64), CorruptModelError, "was moved to"),
    "no digest": (lambda v: v.change_pointer(manifest_sha256=""), CorruptModelError, "64 hex digits"),
    "a changed manifest": (lambda v: v.change_manifest(status="better"), CorruptModelError, "was moved to"),
    "an endless pointer": (
        lambda v: v.write("channels/production.json", b" " * 2**26),
        CorruptModelError,
        "larger than",
    ),
    **{
        f"{content!r} for a pointer": (
            partial(Victim.write, name="channels/production.json", content=content),
            CorruptModelError,
            "channels/production.json",
        )
        for content in (b"", b"{}", b"[]", b"\xff\xfe", b'{"format": 1')
    },
}


def _refused(victim: Victim, name: str, case: tuple[Attack, type[Song2VecError], str]) -> None:
    attack, kind, says = case
    attack(victim)
    before = victim.files_on_disk()

    with pytest.raises(kind) as refusal:
        victim.models.load(name)

    assert says in str(refusal.value)
    cache = str(victim.models.cache.folder.relative_to(victim.disk))
    assert victim.files_on_disk() - before <= {"disk", "disk/a", "disk/a/b", cache, f"{cache}/.lock"}


@pytest.mark.parametrize("case", BY_FILES.values(), ids=BY_FILES)
def test_a_hostile_file_is_refused_and_leaves_nothing(victim, case):
    _refused(victim, victim.manifest.version, case)


@pytest.mark.parametrize("case", BY_MANIFEST.values(), ids=BY_MANIFEST)
def test_a_hostile_manifest_is_refused_and_leaves_nothing(victim, case):
    _refused(victim, victim.manifest.version, case)


@pytest.mark.parametrize("case", BY_POINTER.values(), ids=BY_POINTER)
def test_a_hostile_pointer_is_refused_and_leaves_nothing(victim, case):
    _refused(victim, CHANNEL, case)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("../../escaped"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _paths(item, (*path, key)))]


def _put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value with another value at a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], new)
    return copy


def _whole_or_refused(victim: Victim, name: str, before: set[str]) -> None:
    with contextlib.suppress(Song2VecError):
        assert victim.models.load(name).similar(500, 3)[0].tolist() == [3, 42, 7]
    cache = victim.models.cache.folder
    assert all(cache in (victim.disk / file).parents for file in victim.files_on_disk() - before)


@given(data=st.data())
@FUZZ
def test_any_value_anywhere_in_a_manifest_is_harmless(victim, data):
    before = victim.files_on_disk() | {"disk", "disk/a", "disk/a/b", "disk/a/b/cache"}

    victim.write(victim.in_manifest, _changed(victim.manifest.to_json(), data))
    _whole_or_refused(victim, victim.manifest.version, before)


@given(data=st.data())
@FUZZ
def test_any_value_anywhere_in_a_pointer_is_harmless(victim, data):
    before = victim.files_on_disk() | {"disk", "disk/a", "disk/a/b", "disk/a/b/cache"}

    victim.write("channels/production.json", _changed(json.loads(victim.read("promotions/00000001.json")), data))
    _whole_or_refused(victim, CHANNEL, before)


def _changed(record: Any, data: st.DataObject) -> bytes:
    return json.dumps(_put(record, data.draw(st.sampled_from(_paths(record))), data.draw(JSON))).encode()


@given(path=st.sampled_from(MODEL_FILES[TWO_WAY]), at=st.integers(0, 127), new=st.binary(min_size=1, max_size=9))
@FUZZ
def test_any_bytes_in_the_header_of_an_array_are_harmless(tmp_path_factory, path, at, new):
    folder = write_model(tmp_path_factory.mktemp("fuzz") / "model")
    content = (folder / path).read_bytes()
    (folder / path).write_bytes(content[:at] + new + content[at + len(new) :])

    with contextlib.suppress(CorruptModelError):
        model = SongModel.open(folder)
        model.prepare(folder)
        assert len(model) == len(SONGS)
        assert len(model.continue_playlists([model.songs[:2].tolist()], 3)[0][0]) == 3
