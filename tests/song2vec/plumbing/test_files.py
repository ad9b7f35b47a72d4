import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.plumbing.files import read_json, whole_file, whole_folder, write_json


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(whole, failure):
    with whole as temporary:
        (temporary / "half.txt" if temporary.is_dir() else temporary).write_text("half")
        raise failure("half way")


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_was_there_stays_when_the_writer_fails(tmp_path, failure):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(failure):
        write_half(whole_file(path), failure)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_nothing_appears_when_the_first_writer_fails(tmp_path):
    with pytest.raises(ValueError, match="half way"):
        write_half(whole_file(tmp_path / "a.txt"), ValueError)
    assert names(tmp_path) == []


def test_a_folder_appears_when_it_is_whole_and_replaces_all_of_the_old(tmp_path):
    path = tmp_path / "stage"
    for content in ["one", "two"]:
        with whole_folder(path) as temporary:
            (temporary / "deep").mkdir()
            (temporary / "deep" / f"{content}.txt").write_text(content)
            assert (path / "deep" / "two.txt").exists() is False
    assert names(path / "deep") == ["two.txt"]
    assert names(tmp_path) == ["stage"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_the_old_folder_stays_when_the_writer_fails(tmp_path, failure):
    path = tmp_path / "stage"
    with whole_folder(path) as temporary:
        (temporary / "old.txt").touch()
    with pytest.raises(failure):
        write_half(whole_folder(path), failure)
    assert names(path) == ["old.txt"]
    assert names(tmp_path) == ["stage"]


def test_a_reader_never_sees_half_a_file(tmp_path):
    """A reader that runs all the while finds the one or the other content, never a mixture or nothing."""
    path = tmp_path / "a.json"
    contents = [{"n": 1, "text": "a" * 10_000}, {"n": 2, "text": "b" * 10_000}]
    write_json(path, contents[0])
    done = threading.Event()
    seen = []

    def read() -> None:
        while not done.is_set():
            seen.append(read_json(path))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(30):
            write_json(path, contents[turn % 2])
    finally:
        done.set()
        reader.join()
    assert seen
    assert all(record in contents for record in seen)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_record_survives_being_written(tmp_path, record):
    write_json(tmp_path / "a.json", record)
    assert read_json(tmp_path / "a.json") == record


def test_a_record_can_be_read_by_people(tmp_path):
    write_json(tmp_path / "a.json", {"category": "노래"})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == '{\n  "category": "노래"\n}\n'
    assert json.loads(text) == {"category": "노래"}
