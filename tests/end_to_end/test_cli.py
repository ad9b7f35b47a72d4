"""The command line, as people and scripts use it: a process, its exit code, its stdout."""

import json
import re
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from tests.rig.golden import must, never, write_golden
from tests.rig.models import FINISHED, publish_model, write_model

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
        [sys.executable, "-W", "error::UserWarning", "-m", "song2vec", *map(str, arguments)],
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
    assert answer("check-data", data, "--out", tmp_path / "checked", "--to", store, **emulator)["accepted"]
    heldout, playlists = data / "heldout.parquet", data / "playlists.parquet"
    assert answer("train", playlists, "--out", model, "--heldout", heldout, *SMALL)["songs"] == 60
    metrics = answer("evaluate", model, "--heldout", heldout, "--playlists", playlists, "--out", model)
    assert metrics["model"]["ndcg"] > metrics["popularity"]["ndcg"]
    gate = ["gate", model / "metrics.json", "--out", model, *SMALL]
    assert "nDCG@100" in answer(*gate, "--set", "gate.min_ndcg=1", code=3)["sentence"]
    assert answer(*gate, "--set", "gate.min_ndcg=1", "--set", "gate.force=a test")["forced"]
    assert song2vec(*gate).stdout.startswith("Accepted: 20 held-out playlists (at least 2); nDCG@100 ")
    assert "live" not in answer("evaluate", model, "--heldout", heldout, "--live", store, **emulator)
    version = answer("publish", model, data, "--to", store, **emulator)["version"]
    assert answer("verify", version, "--model", model, "--from", store, **emulator)["questions"] == 40
    assert answer("promote", version, "--to", store, "--why", "first", **emulator)["version"] == version
    assert [row["version"] for row in answer("versions", "--from", store, **emulator)["versions"]] == [version]
    assert [move["why"] for move in answer("history", "--from", store, **emulator)["moves"]] == ["first"]
    for live, name in ((store, version), (model, str(model))):
        beside = answer("evaluate", model, "--heldout", heldout, "--live", live, HOME=str(tmp_path), **emulator)
        assert beside["live_version"] == name
        assert beside["live"] == beside["model"]
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
    assert "Not aligned: there was no version to align to, or it was not named." in first["summary"]
    assert "Songs most similar to" in second.stdout
    assert f"Aligned to {first['version']}: 60 shared songs moved by" in second.stdout
    newest = ModelStore(store, cache=tmp_path / "cache").version("production").manifest
    assert newest.alignment.to == first["version"] == newest.parent
    versions = answer("versions", "--from", store, **environment)["versions"]
    assert len(versions) == 2
    rolled = answer("rollback", "--to", store, "--why", "the new one is odd", **environment)
    assert rolled["version"] == first["version"]


def test_a_refused_model_is_published_but_not_promoted_and_exits_3(sources, store, gcs, tmp_path):
    url, csvs = sources
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_COLLECT__FOLDER": str(csvs), "HOME": str(tmp_path)}
    arguments = ["run", "--url", url, "--to", store, "--workspace", tmp_path, *SMALL, "--set", "gate.min_ndcg=1"]

    refused = answer(*arguments, code=3, **environment)

    assert "nDCG@100" in refused["sentence"]
    assert "production names no version: the gate refused the model." in refused["summary"]
    assert [row["version"] for row in answer("versions", "--from", store, **environment)["versions"]] == [
        refused["version"]
    ]
    assert answer("history", "--from", store, **environment)["moves"] == []

    asked = ["--set", "gate.force=a test", "--set", "gate.approval=true"]
    forced = answer(*arguments, *asked, **environment)

    assert forced["sentence"].startswith("Refused, but forced (a test): nDCG@100 ")
    assert "gate.approval is on: look at the version, then `song2vec promote` it" in forced["summary"]
    assert answer("history", "--from", store, **environment)["moves"] == []


def test_refused_data_is_not_trained_on_unless_overridden_with_a_reason_that_is_kept(sources, store, gcs, tmp_path):
    url, csvs = sources
    work = tmp_path / "work"
    off = [f"gate.{limit}=0" for limit in ("min_ndcg", "min_hit_rate", "min_vs_popularity", "min_vs_item_knn")]
    changed = [word for setting in ["train.epochs=1", *off, "check_data.min_songs=61"] for word in ("--set", setting)]
    arguments = ["run", "--url", url, "--to", store, "--workspace", work, *SMALL, *changed]
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_COLLECT__FOLDER": str(csvs), "HOME": str(tmp_path)}

    refused = song2vec(*arguments, code=3, **environment)

    assert "60 songs instead of at least 61" in refused.stderr
    assert refused.stdout == ""
    (verdict,) = work.glob("*/*/check_data/check_data.json")
    failed = [rule for rule in json.loads(verdict.read_text(encoding="utf-8"))["rules"] if rule["passed"] is False]
    assert [(rule["rule"], rule["figure"], rule["limit"]) for rule in failed] == [("min_songs", 60, 61)]
    assert answer("versions", "--from", store, **environment)["versions"] == []
    prepared = verdict.parent.with_name("prepare")
    check = ["check-data", prepared, "--out", tmp_path / "checked", "--to", store, "--set", "check_data.min_songs=61"]
    assert answer(*check, code=3, **environment)["sentence"] == "Refused: 60 songs instead of at least 61."

    made = answer(*arguments, "--set", "check_data.override=노래방 하나", **environment)["version"]

    version = ModelStore(store, cache=tmp_path / "cache").version(made)
    assert version.manifest.settings["check_data"]["override"] == "노래방 하나"
    assert json.loads(version.read("check_data.json"))["overridden"]
    assert "Accepted all the same (노래방 하나): 60 songs" in version.read("MODEL_CARD.md").decode()
    since = song2vec(*check[:-2], **environment).stdout
    assert f"since {made}: playlists: 0 new, 0 gone, 0 changed, 201 same" in since


def test_a_channel_is_pinned_unpinned_and_forced_and_the_tables_tell(store, bucket, gcs, tmp_path):
    first, second = (
        publish_model(bucket, tmp_path / name, finished=FINISHED + timedelta(days=day), created=FINISHED).version
        for day, name in enumerate(("first", "second"))
    )
    rejected = publish_model(bucket, tmp_path / "rejected", finished=FINISHED + timedelta(days=2), accepted=False)
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_STORE": store, "HOME": str(tmp_path)}
    song2vec("promote", first, "--why", "the first", "--who", "minji", **environment)

    done = song2vec("pin", "--why", "Christmas", "--who", "jun", "--json", **environment)
    pinned = json.loads(done.stdout)
    refused = song2vec("promote", second, "--why", "newer", code=3, **environment).stderr
    forced = answer("promote", rejected.version, "--why", "a test", "--who", "jun", "--force", **environment)
    song2vec("pin", second, "--why", "to stay", "--who", "민지", **environment)
    song2vec("rollback", "--why", "no", code=3, **environment)
    song2vec("rollback", first, "--why", "urgent", "--who", "jun", "--force", **environment)
    unpinned = answer("unpin", "--why", "was not", **environment)

    assert (pinned["version"], pinned["pinned"]) == (first, True)
    assert f"production is pinned to {first} " in done.stderr
    assert "now names" not in done.stderr
    assert f"production is pinned to {first} by jun since" in refused
    assert "because: Christmas. `song2vec unpin`, or *Unpin* in the form of the DAG song2vec_promote" in refused
    assert "use `--force`, or *Force* in the form" in refused
    assert (forced["version"], forced["previous"]) == (rejected.version, first)
    assert (unpinned["version"], unpinned["sequence"]) == (first, 5)  # nothing was pinned: nothing was done
    head, _, *lines = [
        re.split(r" {2,}", line.strip()) for line in song2vec("history", **environment).stdout.splitlines()
    ]
    assert head == ["#", "when", "channel", "move", "version", "from", "who", "why"]
    assert [[line[0], *line[2:]] for line in lines[:3]] == [
        ["5", "production", "rollback, forced", first, second, "jun", "urgent"],
        ["4", "production", "pin", second, rejected.version, "민지", "to stay"],
        ["3", "production", "promote, forced", rejected.version, first, "jun", "a test"],
    ]
    moves = answer("history", **environment)
    assert moves["problems"] == []
    assert [(move["kind"], move["forced"], move["who"], move["why"]) for move in moves["moves"]] == [
        ("promote", False, "minji", "the first"),
        ("pin", False, "jun", "Christmas"),
        ("promote", True, "jun", "a test"),
        ("pin", False, "민지", "to stay"),
        ("rollback", True, "jun", "urgent"),
    ]
    differs = answer("diff", first, second, "--set", "evaluate.stability_sample=3", **environment)
    assert (differs["settings"], differs["neighbours"]["sampled"]) == ([], 3)
    assert "no setting differs" in song2vec("diff", "production", second, **environment).stdout


def test_the_daily_run_leaves_a_pinned_channel_alone_and_says_so(sources, store, bucket, gcs, tmp_path):
    url, csvs = sources
    kept = publish_model(bucket, tmp_path / "kept").version
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_COLLECT__FOLDER": str(csvs), "HOME": str(tmp_path)}
    song2vec("pin", kept, "--to", store, "--why", "Christmas", "--who", "minji", **environment)

    done = song2vec("run", "--url", url, "--to", store, "--workspace", tmp_path / "work", *SMALL, **environment)

    assert f"production is pinned to {kept} by minji" in done.stderr
    assert f"live: production is pinned to {kept} by minji since" in done.stdout
    assert ModelStore(store, cache=tmp_path / "cache").resolve("production").version == kept


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
        (["similar", "1"], 2, "name it with --from, or in SONG2VEC_STORE"),
        (["versions"], 2, "name it with --to or --from, or in SONG2VEC_STORE"),
        (["quarantine", "nowhere"], 1, "nowhere"),
        (["quarantine", "nowhere", "--reason", "unknown"], 2, "unknown_song"),
    ],
)
def test_a_mistake_is_one_clear_line_and_its_own_exit_code(arguments, code, says):
    done = song2vec(*arguments, code=code)

    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_similar_asks_the_store_that_the_environment_names(store, bucket, gcs, tmp_path):
    name = publish_model(bucket, tmp_path / "model").version
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_STORE": store, "HOME": str(tmp_path)}

    assert answer("similar", "3", "--model-version", name, "-k", "2", **environment)["song"] == "3"


def test_a_file_of_golden_songs_is_tried_on_a_folder_and_on_a_version(store, gcs, tmp_path):
    environment = {"STORAGE_EMULATOR_HOST": gcs, "SONG2VEC_STORE": store, "HOME": str(tmp_path)}
    model = write_model(tmp_path / "model", training={"settings": {"min_count": 5}})
    name = answer("publish", model, **environment)["version"]
    good = write_golden(tmp_path / "good.toml", must([3], [42], 2))
    bad = write_golden(tmp_path / "bad.toml", must([3], [42], 2), never([3], [42], 2, why="too sad"), must([1], [3], 2))

    here = answer("golden", good, "--from", model, **environment)
    there = answer("golden", bad, "--model-version", name, code=3, **environment)
    shown = song2vec("golden", bad, "--model-version", name, code=3, **environment).stdout
    wrong = song2vec("golden", write_golden(bad, must([3], [], 2)), "--from", model, code=1).stderr

    assert (here["accepted"], here["sentence"]) == (True, "Accepted: 1 rule on golden songs met.")
    assert [rule["passed"] for rule in there["rules"]] == [False, False, True]
    assert "not met    golden songs: 1 has no vector: it was seen fewer than 5 times" in shown
    assert re.search(
        r"^met +golden songs: 3 has 42 at place [12], expected among the 2 nearest \(a test\)$", shown, re.M
    )
    assert (
        wrong == f"song2vec: the golden songs {bad}: must 1, bring: found it empty: fill it in, or take the entry out\n"
    )


def test_a_reader_that_leaves_early_is_no_error():
    command = f"set -o pipefail; {sys.executable} -m song2vec settings --json | true"

    done = subprocess.run(
        ["bash", "-c", command], check=False, capture_output=True, text=True, env={"PYTHONPATH": "include"}
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_documented_settings_are_the_defined_ones():
    assert song2vec("settings", "--markdown").stdout == Path("docs/configuration.md").read_text(encoding="utf-8")


def test_help_of_a_command_documents_its_settings():
    text = song2vec("train", "--help").stdout

    assert "train.epochs = 200" in text
    assert "Most passes over the playlists." in text


def test_prune_shows_first_and_deletes_when_told(bucket, store, gcs, tmp_path):
    old, new = (
        publish_model(bucket, tmp_path / str(day), finished=FINISHED + timedelta(days=day)).version for day in (1, 2)
    )
    ask = ["prune", "--to", store, "--set", "retention.keep_versions=1", "--set", "retention.keep_days=0"]

    shown = song2vec(*ask, STORAGE_EMULATOR_HOST=gcs).stdout
    assert "nothing was deleted; with --delete would go: 1 versions" in shown
    assert ModelStore(store).published() == [new, old]

    rows = answer(*ask, "--delete", STORAGE_EMULATOR_HOST=gcs)["versions"]
    assert [(row["version"], row["fate"]) for row in rows] == [(new, "stays"), (old, "goes")]
    assert ModelStore(store).published() == [new]


def test_from_keygen_to_a_client_that_checks_and_no_key_in_any_output(store, gcs, tmp_path):
    where = {"STORAGE_EMULATOR_HOST": gcs}
    keys = answer("keygen", tmp_path / "mine.pem")
    said = song2vec("publish", write_model(tmp_path / "model"), "--to", store, "--sign-with", keys["private"], **where)
    answer("keygen", tmp_path / "other.pem")

    def pull(public):
        command = [sys.executable, "-m", "song2vec_client", "pull", store, "--name", ModelStore(store).published()[0]]
        command += ["--cache", tmp_path / "cache", "--public-key", public]
        environment = {"PYTHONPATH": "include", **where}
        return subprocess.run(command, check=False, env=environment, capture_output=True, text=True)

    pulled, refused = pull(keys["public"]), pull(tmp_path / "other.pub.pem")

    assert pulled.returncode == 0, pulled.stderr
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is not signed by the public key that was given" in refused.stderr
    assert (tmp_path / "mine.pem").read_text().splitlines()[1] not in said.stdout + said.stderr
