"""The published format: what is written is read back equal, and nothing else gets in."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec_client.errors import CorruptModelError, UnsupportedFormatError
from song2vec_client.format.alignment import Alignment, Distances
from song2vec_client.format.fields import parse_json
from song2vec_client.format.layout import ONE_WAY, SCORINGS, TWO_WAY, is_channel, is_safe_path, is_version, version_id
from song2vec_client.format.records import KINDS, SCORED, FileEntry, Manifest, Move, Pointer

hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
times = st.datetimes(datetime(2000, 1, 1), datetime(9999, 12, 30)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))
versions = st.builds(version_id, times, hexes)
words = st.text(max_size=30)
paths = (
    st.lists(st.text("abc.-_ 노", min_size=1, max_size=8), min_size=1, max_size=3).map("/".join).filter(is_safe_path)
)
crcs = st.binary(min_size=4, max_size=4).map(lambda raw: __import__("base64").b64encode(raw).decode())
entries = st.builds(FileEntry, paths, st.integers(0, 2**63 - 1), hexes, crcs)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
figures = st.floats(0, 2)
distances = st.builds(Distances, figures, figures, figures)
alignments = st.builds(Alignment, st.none() | versions, st.integers(1, 2**40), distances, distances)
manifests = st.builds(
    Manifest,
    version=versions,
    parent=st.none() | versions,
    created=times,
    accepted=st.booleans(),
    status=words,
    settings=st.dictionaries(words, json_values, max_size=3),
    data_fingerprint=words,
    code_version=words,
    files=st.lists(entries, max_size=4, unique_by=lambda entry: entry.path)
    .filter(lambda files: all(entry.path != "manifest.json" for entry in files))
    .map(tuple),
    alignment=st.none() | alignments,
    scoring=st.sampled_from(SCORINGS),
)
moves = st.builds(
    lambda kind, **fields: Move(kind=kind, pinned=kind == "pin", **fields),
    kind=st.sampled_from(KINDS),
    sequence=st.integers(1, 10**8 - 1),
    channel=st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
    version=versions,
    manifest_sha256=hexes,
    previous=st.none() | versions,
    who=words,
    when=times,
    why=words,
    forced=st.booleans(),
    run=words,
)

GOOD = Manifest(
    version="20260131T040000Z-0123abcd",
    parent=None,
    created=datetime(2026, 1, 31, 4, tzinfo=UTC),
    accepted=True,
    status="accepted",
    settings={},
    data_fingerprint="",
    code_version="0.1.0",
    files=(FileEntry("vectors.npy", 10, "0" * 64, "AAAAAA=="),),
).to_json()


@settings(deadline=None)
@given(manifests)
def test_a_manifest_survives_the_store(manifest):
    assert Manifest.from_json(parse_json(manifest.to_bytes())) == manifest


@settings(deadline=None)
@given(moves)
def test_moves_and_pointers_survive_the_store(move):
    assert Move.from_json(parse_json(move.to_bytes())) == move
    pointer = move.pointer()
    assert Pointer.from_json(parse_json(pointer.to_bytes())) == pointer
    assert pointer.to_json().items() <= move.to_json().items()


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, json_values)), st.sampled_from(sorted(GOOD)))
def test_any_json_in_any_field_is_a_manifest_or_a_clear_refusal(changes, dropped):
    record = {name: value for name, value in (GOOD | changes).items() if name != dropped or name in changes}

    try:
        manifest = Manifest.from_json(record)
    except (CorruptModelError, UnsupportedFormatError):
        return
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert record["version"] == manifest.version


@given(moves)
def test_a_move_and_a_pointer_from_before_there_were_pins_are_read(move):
    record = {name: value for name, value in move.to_json().items() if name not in ("pinned", "run")}

    assert not Pointer.from_json(record).pinned
    assert Move.from_json(record | {"kind": "promote"}).run == ""


def test_only_a_pin_pins():
    move = Move(1, "production", GOOD["version"], "0" * 64, None, "x", datetime(2026, 1, 31, tzinfo=UTC), "y")

    for changes in ({"pinned": True}, {"kind": "pin"}, {"kind": "unpin", "pinned": True}, {"kind": "push"}):
        with pytest.raises(CorruptModelError, match=r"^(pinned|kind): found"):
            Move.from_json(move.to_json() | changes)


def test_a_manifest_from_before_models_were_aligned_is_read():
    assert Manifest.from_json({name: value for name, value in GOOD.items() if name != "alignment"}).alignment is None


OLD = b"""{
  "format": 1,
  "version": "20260131T040000Z-0123abcd",
  "parent": null,
  "created": "2026-01-31T04:00:00Z",
  "accepted": true,
  "status": "accepted",
  "settings": {},
  "data_fingerprint": "",
  "code_version": "0.1.0",
  "files": [{"path": "vectors.npy", "size": 10, "sha256": "%b", "crc32c": "AAAAAA=="}]
}
""" % (b"0" * 64)


def test_a_manifest_as_it_was_stored_before_there_were_two_ways_to_score_is_scored_one_way():
    assert Manifest.from_json(parse_json(OLD)) == Manifest.from_json(GOOD)
    assert Manifest.from_json(parse_json(OLD)).scoring == ONE_WAY


@pytest.mark.parametrize(("scoring", "number"), [(ONE_WAY, 1), (TWO_WAY, 2)])
def test_only_what_an_older_client_would_score_wrongly_has_a_format_that_it_refuses(scoring, number):
    record = Manifest.from_json(GOOD | {"scoring": scoring}).to_json()

    assert record["format"] == number
    assert Manifest.from_json(record).scoring == scoring


def test_who_knows_format_1_only_refuses_format_2():
    record = Manifest.from_json(GOOD | {"scoring": TWO_WAY}).to_json()

    with pytest.raises(UnsupportedFormatError, match="has format 2; this client knows formats up to 1: upgrade"):
        Pointer.from_json(record)  # of which there is one format


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"to": "yesterday"}, "expected a version"),
        ({"shared_songs": 0}, "from 1 up"),
        ({"after": {"mean": 0, "median": 0.1}}, "p95"),
        ({"before": {"mean": 0, "median": 0.1, "p95": 2.1}}, "cosine distance"),
    ],
)
def test_an_alignment_that_cannot_be_is_refused(changes, says):
    near = {"mean": 0, "median": 0.1, "p95": 2}
    record = {"to": None, "shared_songs": 3, "before": near, "after": near}
    assert Manifest.from_json(GOOD | {"alignment": record}).alignment.after.p95 == 2

    with pytest.raises(CorruptModelError, match=says):
        Manifest.from_json(GOOD | {"alignment": record | changes})


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_a_clear_refusal(content):
    refused = False
    try:
        parse_json(content)
    except CorruptModelError:
        refused = True

    assert refused != _is_json(content)


def _is_json(content):
    try:
        return "NaN" not in str(json.loads(content.decode()))
    except ValueError:
        return False


HURTFUL = {"deep": b"[" * 100_000, "nan": b'{"a": NaN}', "not utf-8": b"\xff", "long": b"9" * 5000}


@pytest.mark.parametrize("content", HURTFUL.values(), ids=HURTFUL.keys())
def test_json_that_hurts_a_parser_is_refused(content):
    with pytest.raises(CorruptModelError, match="not a JSON record"):
        parse_json(content)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../b", "./a", "a//b", "a/", "a\\b", "C:x", "a\x00b", "a\nb", "a" * 513, ".", ".."],
)
def test_a_path_that_could_leave_its_folder_is_refused(path):
    with pytest.raises(CorruptModelError, match="relative POSIX path"):
        FileEntry(path, 0, "0" * 64, "AAAAAA==")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"size": -1}, "size"),
        ({"size": 2**63}, "size"),
        ({"size": True}, "size.*whole number"),
        ({"size": "10"}, "size.*whole number"),
        ({"sha256": "0" * 63}, "sha256"),
        ({"sha256": "G" * 64}, "sha256"),
        ({"crc32c": "AAAA"}, "crc32c"),
        ({"path": None}, "path.*text"),
        ({"path": "\ud800"}, "half a character"),
    ],
)
def test_an_entry_with_a_wrong_field_is_refused(changes, says):
    entry = GOOD["files"][0] | changes

    with pytest.raises(CorruptModelError, match=says):
        Manifest.from_json(GOOD | {"files": [entry]})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": "latest"}, "20260131T040000Z-0123abcd"),
        ({"version": "20261331T040000Z-0123abcd"}, "version"),
        ({"version": "20260131T040000Z-0123abcd\n"}, "version"),
        ({"parent": "../x"}, "version"),
        ({"created": "2026-01-31 04:00:00"}, "2026-01-31T04:00:00Z"),
        ({"created": "2026-1-31T04:00:00Z"}, "2026-01-31T04:00:00Z"),
        ({"accepted": "yes"}, "true or false"),
        ({"settings": []}, "JSON object"),
        ({"files": {}}, "a list"),
        ({"files": GOOD["files"] * 2}, "each path once"),
        ({"files": [GOOD["files"][0] | {"path": "manifest.json"}]}, "no entry for the manifest"),
        ({"format": 0}, "format"),
        ({"scoring": "three-way"}, "scoring: found 'three-way', expected one-way or two-way"),
        ({"scoring": None}, "scoring"),
        ({"format": 2, "scoring": ["two-way"]}, "scoring"),
    ],
)
def test_a_manifest_with_a_wrong_field_is_refused(changes, says):
    with pytest.raises(CorruptModelError, match=says):
        Manifest.from_json(GOOD | changes)


def test_a_newer_format_says_to_upgrade():
    with pytest.raises(UnsupportedFormatError, match="upgrade song2vec-client"):
        Manifest.from_json(GOOD | {"format": SCORED + 1, "version": {"another": "shape"}})


def test_fields_that_this_format_does_not_know_are_ignored():
    assert Manifest.from_json(GOOD | {"signature": "…"}) == Manifest.from_json(GOOD)


@settings(deadline=None)
@given(times, hexes)
def test_versions_and_channels_cannot_be_confused(time, sha256):
    version = version_id(time.astimezone(), sha256)

    assert is_version(version)
    assert not is_channel(version)
    assert version.startswith(f"{time:%Y%m%dT%H%M%SZ}"[-16:])


@pytest.mark.parametrize("time", [datetime(2026, 1, 31), datetime(2026, 1, 31, 0, 0, 0, 1, UTC)])
def test_times_are_in_utc_and_whole_seconds(time):
    with pytest.raises(CorruptModelError, match="UTC"):
        Manifest(**(Manifest.from_json(GOOD).__dict__ | {"created": time}))
    assert timedelta(0) == UTC.utcoffset(None)
