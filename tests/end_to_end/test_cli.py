"""The command line, as people and scripts use it: a process, its exit code, its stdout."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from song2vec_client.store import ModelStore

SMALL = [
    "--set",
    "train.epochs=60",
    "--set",
    "train.vector_size=16",
    "--set",
    "train.min_count=1",
    "--set",
    "gate.min_playlists=2",
]


def song2vec(*arguments, code=0, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-m", "song2vec.cli", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": "include", "PATH": "/usr/bin:/bin", "HOME": "/tmp", **environment},
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def answer(*arguments, code=0, **environment):
    done = song2vec(*arguments, "--json", code=code, **environment)
    return json.loads(done.stdout)  # stdout holds one JSON object and nothing else


@pytest.fixture
def sources(tmp_path):
    """Two genres of 30 songs: a database with playlists of both, and a folder with one CSV."""
    path = tmp_path / "karaoke.db"
    with sqlite3.connect(path) as database:
        database.execute("create table playlist_songs (playlist_id integer, position integer, song integer)")
        for playlist in range(200):
            first = 100 if playlist % 2 else 200
            songs = [first + (playlist * 7 + position * 11) % 30 for position in range(10)]
            database.executemany(
                "insert into playlist_songs values (?, ?, ?)",
                [(playlist, position, song) for position, song in enumerate(songs)],
            )
    database.close()
    csvs = tmp_path / "collected csvs"
    csvs.mkdir()
    lines = [f"모음,{100 + song}" for song in range(9)] + ["모음,?"]
    (csvs / "노래.csv").write_text("Category,master_number\n" + "\n".join(lines) + "\n", encoding="cp949")
    return f"sqlite:///{path}", csvs


def test_every_stage_by_hand(sources, store, gcs, tmp_path):
    url, csvs = sources
    raw, data, model = tmp_path / "raw", tmp_path / "data", tmp_path / "model"
    emulator = {"STORAGE_EMULATOR_HOST": gcs}

    assert answer("extract", "--url", url, "--out", raw / "mariadb")["rows"] == 2000
    assert len(answer("collect", csvs, "--out", raw / "csv")["files"]) == 1
    prepared = answer("prepare", raw / "mariadb", raw / "csv", "--out", data)
    assert (prepared["playlists"], prepared["rows"]) == (201, 2009)
    assert [reason["rows"] for reason in answer("quarantine", data)["reasons"]] == [1]
    assert "unknown_song, 1 of 1:" in song2vec("quarantine", data, "--reason", "unknown_song").stdout
    assert answer("check", data, "--out", tmp_path / "checked", "--to", store, **emulator)["accepted"]
    heldout, playlists = data / "heldout.parquet", data / "playlists.parquet"
    assert answer("train", playlists, "--out", model, "--heldout", heldout, *SMALL)["songs"] == 60
    metrics = answer("evaluate", model, "--heldout", heldout, "--playlists", playlists, "--out", model)
    assert metrics["model"]["ndcg"] > metrics["popularity"]["ndcg"]
    assert "champion" not in answer("evaluate", model, "--heldout", heldout, "--champion", store, **emulator)
    version = answer("publish", model, data, "--to", store, **emulator)["version"]
    assert answer("promote", version, "--to", store, "--why", "first", **emulator)["version"] == version
    assert [row["version"] for row in answer("versions", "--from", store, **emulator)["versions"]] == [version]
    assert [move["why"] for move in answer("history", "--from", store, **emulator)["moves"]] == ["first"]
    for champion, name in ((store, version), (model, str(model))):
        beside = answer("evaluate", model, "--heldout", heldout, "--champion", champion, HOME=str(tmp_path), **emulator)
        assert beside["champion_version"] == name
        assert beside["champion"] == beside["model"]
        assert beside["model"]["ndcg"] == metrics["model"]["ndcg"]
    local = answer("similar", "105", "--from", model, "-k", "5")
    assert {pair["song"] // 100 for pair in local["similar"]} == {1}
    assert answer("similar", "105", "--from", store, "-k", "5", HOME=str(tmp_path), **emulator) == local
    again = ["train", playlists, "--out", tmp_path / "again", "--heldout", heldout, *SMALL, "--set", "train.epochs=1"]
    for parent, name in ((model, "an unpublished model"), (store, version)):
        told = answer(*again, "--align-to", parent, HOME=str(tmp_path), **emulator)["alignment"]
        assert told.startswith(f"Aligned to {name}: 60 shared songs moved by")


def test_run_does_it_all_and_a_second_run_makes_a_second_version(sources, store, gcs, tmp_path):
    url, csvs = sources
    arguments = ["run", "--url", url, "--to", store, "--workspace", tmp_path / "work", *SMALL]
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_COLLECT__FOLDER": str(csvs), "HOME": str(tmp_path)}

    first = answer(*arguments, **environment)
    second = song2vec(*arguments, **environment)

    assert first["accepted"]
    assert "Not aligned: there was no version to align to." in first["summary"]
    assert "Songs most similar to" in second.stdout
    assert f"Aligned to {first['version']}: 60 shared songs moved by" in second.stdout
    newest = ModelStore(store, cache=tmp_path / "cache").manifest("production")
    assert newest.alignment.to == first["version"] == newest.parent
    versions = answer("versions", "--from", store, **environment)["versions"]
    assert len(versions) == 2
    rolled = answer("rollback", "--to", store, "--why", "the new one is odd", **environment)
    assert rolled["version"] == first["version"]


def test_a_refused_model_is_published_but_not_promoted_and_exits_3(sources, store, gcs, tmp_path):
    url, csvs = sources
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_COLLECT__FOLDER": str(csvs), "HOME": str(tmp_path)}

    refused = answer(
        "run",
        "--url",
        url,
        "--to",
        store,
        "--workspace",
        tmp_path,
        *SMALL,
        "--set",
        "gate.min_ndcg=1",
        code=3,
        **environment,
    )

    assert "nDCG@100" in refused["sentence"]
    assert [row["version"] for row in answer("versions", "--from", store, **environment)["versions"]] == [
        refused["version"]
    ]
    assert answer("history", "--from", store, **environment)["moves"] == []


def test_refused_data_is_not_trained_on_unless_overridden_with_a_reason_that_is_kept(sources, store, gcs, tmp_path):
    url, csvs = sources
    work = tmp_path / "work"
    quick = ["train.epochs=1", "gate.min_ndcg=0", "gate.min_hit_rate=0", "gate.min_vs_popularity=0"]
    changed = [word for setting in [*quick, "data.min_songs=61"] for word in ("--set", setting)]
    arguments = ["run", "--url", url, "--to", store, "--workspace", work, *SMALL, *changed]
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_COLLECT__FOLDER": str(csvs), "HOME": str(tmp_path)}

    refused = song2vec(*arguments, code=3, **environment)

    assert "60 songs instead of at least 61" in refused.stderr
    assert refused.stdout == ""
    (verdict,) = work.glob("*/*/checked/data_decision.json")
    failed = [rule for rule in json.loads(verdict.read_text(encoding="utf-8"))["rules"] if rule["passed"] is False]
    assert [(rule["rule"], rule["figure"], rule["limit"]) for rule in failed] == [("min_songs", 60, 61)]
    assert answer("versions", "--from", store, **environment)["versions"] == []
    prepared = verdict.parent.with_name("prepared")
    check = ["check", prepared, "--out", tmp_path / "checked", "--to", store, "--set", "data.min_songs=61"]
    assert answer(*check, code=3, **environment)["sentence"] == "Refused: 60 songs instead of at least 61."

    made = answer(*arguments, "--set", "data.override=노래방 하나", **environment)["version"]

    models = ModelStore(store, cache=tmp_path / "cache")
    assert models.manifest(made).settings["data"]["override"] == "노래방 하나"
    assert json.loads(models.read(made, "data_decision.json"))["overridden"]
    assert "Accepted all the same (노래방 하나): 60 songs" in models.read(made, "MODEL_CARD.md").decode()
    since = song2vec(*check[:-2], **environment).stdout
    assert f"since {made}: playlists: 0 new, 0 gone, 0 changed, 201 same" in since


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["train"], 2, "PLAYLISTS.parquet"),
        (["train", "x", "--out", "y", "--set", "train.epohs=1"], 2, "train.epochs"),
        (["train", "x", "--out", "y", "--set", "train.epochs=0"], 2, "greater than or equal to 1"),
        (["collect", "nowhere", "--out", "y"], 1, "nowhere"),
        (["prepare", "nowhere", "--out", "y"], 1, "nowhere"),
        (["train", "nowhere.parquet", "--out", "y"], 1, "nowhere.parquet"),
        (["similar", "1", "--from", "nowhere"], 1, "nowhere"),
        (["quarantine", "nowhere"], 1, "nowhere"),
        (["quarantine", "nowhere", "--reason", "unknown"], 2, "unknown_song"),
    ],
)
def test_a_mistake_is_one_clear_line_and_its_own_exit_code(arguments, code, says, tmp_path):
    done = song2vec(*arguments, code=code)

    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_documented_settings_are_the_defined_ones():
    assert song2vec("settings", "--markdown").stdout == Path("docs/configuration.md").read_text(encoding="utf-8")


def test_help_of_a_command_documents_its_settings():
    text = song2vec("train", "--help").stdout

    assert "train.epochs = 20" in text
    assert "Passes over the playlists." in text
