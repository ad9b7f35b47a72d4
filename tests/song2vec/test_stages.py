"""A run as a whole: one live version whatever people do meanwhile, and every stage safe to run again."""

import inspect
import json
import shutil
from typing import Any

import numpy as np
import pytest
from tests.rig.genres import genre_playlists, write_heldout, write_playlists
from tests.rig.golden import entry, must, never, write_golden
from tests.rig.runs import Here, begin, karaoke

from song2vec import stages
from song2vec.channels import history, pin, promote, rollback, unpin
from song2vec.errors import RefusedError, SettingsError, SourceUnavailableError
from song2vec.settings import load_settings
from song2vec.workspace import end_run, new_run, open_run_folder, unfinished_run
from song2vec_client import ModelStore

GOOD = {"train.epochs": 40, "train.vector_size": 16, "train.min_count": 1, "train.workers": 1}
BAD = GOOD | {"train.epochs": 1, "train.alpha": 1e-6, "train.neighbours": 1}  # it learns next to nothing
PERSON: dict[str, Any] = {"who": "minji", "why": "this one is for the holidays"}
TO_THE_GATE = ("check_data", "train", "evaluate", "gate", "publish", "verify")


@pytest.fixture
def night(tmp_path, bucket, monkeypatch):
    """Begins a run of a name on one database; no two of them train the same model."""
    monkeypatch.setenv("SONG2VEC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "csv").mkdir()
    engine = karaoke(tmp_path / "karaoke.db")

    def night(name, changes=GOOD, folder=None):
        changes = changes | {"collect.folder": str(tmp_path / "csv"), "train.seed": len(name)}
        return begin(folder or tmp_path / name, bucket, changes, engine=engine)

    yield night
    engine.dispose()


@pytest.fixture
def model_store(bucket):
    """The model store that `night` publishes to."""
    return ModelStore.of(bucket)


def trained(run, upto="verify"):
    """Run the stages up to the promotion, and give the run."""
    stages.prepare(run, [stages.extract(run)["uri"]])
    for stage in TO_THE_GATE[: TO_THE_GATE.index(upto) + 1]:
        getattr(stages, stage)(run)
    return run


def version(run):
    """What the run published."""
    return run.read_json("publish/publish.json")["version"]


def live(model_store):
    """What `production` names."""
    return model_store.resolve("production").version


def test_every_stage_in_the_order_is_a_documented_function_of_a_run():
    for name in stages.ORDER:
        stage = getattr(stages, name)
        assert stage.__doc__
        assert next(iter(inspect.signature(stage).parameters)) == "run"


def test_all_stages_speak_of_the_version_that_was_live_when_the_run_first_looked(night, model_store):
    first = stages.run_all(night("monday"))["version"]
    other = version(trained(night("a person's")))
    run = trained(night("tuesday"), "check_data")
    promote(model_store.bucket, "production", other, **PERSON)

    for stage in TO_THE_GATE[1:]:
        getattr(stages, stage)(run)

    made = model_store.version(version(run)).manifest
    assert run.read_json("check_data/check_data.json")["live_version"] == first
    assert run.read_json("train/training.json")["alignment"]["to"] == first
    assert run.read_json("evaluate/metrics.json")["live_version"] == first
    assert made.parent == made.alignment.to == first
    assert json.loads(model_store.version(version(run)).read("live.json"))["version"] == first


def test_a_channel_that_was_moved_meanwhile_is_measured_against_before_it_moves_again(night, model_store):
    stages.run_all(night("monday"))
    worse = version(trained(night("a person's", BAD)))
    run = trained(night("tuesday"))
    promote(model_store.bucket, "production", worse, force=True, **PERSON)

    record = stages.promote(run)

    assert (record["version"], live(model_store)) == (version(run), version(run))
    assert run.read_json("promote/metrics.json")["live_version"] == worse
    assert run.read_json("promote/decision.json")["sentence"] in model_store.resolve("production").why


def test_a_model_that_is_worse_than_what_a_person_promoted_meanwhile_stays_back_with_that_sentence(night, model_store):
    worst = stages.run_all(night("monday", BAD | {"gate.force": "a start"}))["version"]
    better = version(trained(night("a person's")))
    run = trained(night("tuesday", BAD | {"gate.min_vs_item_knn": 0}))
    decision = run.read_json("gate/decision.json")
    promote(model_store.bucket, "production", better, **PERSON)

    record = stages.promote(run)

    assert decision["accepted"], decision["sentence"]
    assert live(model_store) == better != worst
    assert f"production was moved to {better} by minji at 20" in record["skipped"]
    assert "because: this one is for the holidays. " in record["skipped"]
    assert f"Beside it {version(run)} does not pass the gate. Refused: " in record["skipped"]
    assert "below the live version's" in record["skipped"]
    stages.report(run, "Approved by minsu.")
    assert record["skipped"] in (run.folder("report") / "summary.txt").read_text(encoding="utf-8")


def test_pinning_and_unpinning_meanwhile_changes_nothing_but_a_pin_that_stays_does(night, model_store):
    stages.run_all(night("monday"))
    run = trained(night("tuesday"))
    pin(model_store.bucket, "production", **PERSON)

    pinned = stages.promote(run)
    unpin(model_store.bucket, "production", **PERSON)
    moved = stages.promote(run)

    assert "production is pinned to" in pinned["skipped"]
    assert moved["version"] == live(model_store) == version(run)
    assert not (run.folder("promote") / "metrics.json").exists()


@pytest.mark.parametrize("cleared", ["extract", "prepare", "check_data", "train", "evaluate", "gate", "publish"])
def test_clearing_a_task_of_an_old_run_never_puts_an_older_version_over_a_newer_one(night, model_store, cleared):
    monday, tuesday = night("monday"), night("tuesday")
    stages.run_all(monday)
    newer = stages.run_all(tuesday)["version"]
    again = stages.ORDER[stages.ORDER.index(cleared) : stages.ORDER.index("promote") + 1]

    for stage in again:
        if stage == "prepare":
            stages.prepare(monday, [monday.files.uri("extract")])
        elif stage != "collect":
            getattr(stages, stage)(monday)

    assert live(model_store) == newer
    assert [move.version for move in history(model_store.bucket)][-1] == newer


def test_an_old_run_whose_model_was_refused_does_not_replace_a_later_one(night, model_store):
    stages.run_all(night("monday"))
    refused = night("tuesday", BAD)
    stages.run_all(refused)
    later = stages.run_all(night("wednesday", GOOD | {"gate.max_fall": 0.5}))
    assert later["accepted"], later["sentence"]
    newer = later["version"]
    allowed = night("tuesday", BAD | {"gate.force": "it was fine"})

    for stage in ("gate", "publish"):
        getattr(stages, stage)(allowed)
    record = stages.promote(allowed)

    assert live(model_store) == newer
    assert f"That version comes from a later run than {version(allowed)}: it stays." in record["skipped"]


def test_evaluating_again_after_the_promotion_compares_as_before_and_publishes_nothing_new(night, model_store):
    first = stages.run_all(night("monday"))["version"]
    run = night("tuesday")
    made = stages.run_all(run)["version"]
    measured = (run.folder("evaluate") / "metrics.json").read_bytes()
    moves = history(model_store.bucket)

    for stage in TO_THE_GATE[2:]:
        getattr(stages, stage)(run)
    record = stages.promote(run)

    assert (run.folder("evaluate") / "metrics.json").read_bytes() == measured
    assert run.read_json("evaluate/metrics.json")["live_version"] == first
    assert version(run) == record["version"] == made
    assert model_store.published() == sorted([first, made], reverse=True)
    assert history(model_store.bucket) == moves


def test_a_rollback_after_the_run_is_not_undone_by_clearing_its_promotion(night, model_store):
    first = stages.run_all(night("monday"))["version"]
    run = night("tuesday")
    stages.run_all(run)
    rollback(model_store.bucket, "production", **PERSON)

    stages.promote(run)

    assert live(model_store) == first


@pytest.mark.parametrize("where", ["a folder", "a bucket"])
def test_a_run_goes_on_where_it_stopped_in_a_folder_and_in_a_bucket(night, model_store, bucket, tmp_path, where):
    workspace = str(tmp_path / "runs") if where == "a folder" else bucket.uri.replace("/models", "/workspace")
    settings = night("monday").settings.model_dump(mode="json")
    _, files = new_run(workspace, settings)
    run = stages.Run(night("monday").settings, files, Stopping(night("monday").deployment, 1), "monday", "test")
    with pytest.raises(SourceUnavailableError):
        stages.run_all(run)
    vectors = np.load(run.folder("train") / "vectors.npy")

    unfinished = unfinished_run(workspace, settings)
    assert unfinished is not None
    name, files = unfinished
    record = stages.run_all(stages.Run(run.settings, files, Stopping(run.deployment, 2), name, "test"))
    end_run(files)

    assert live(model_store) == record["version"]
    assert np.array_equal(model_store.load("production").vectors, vectors)
    assert unfinished_run(workspace, settings) is None
    assert not list(tmp_path.glob("gs:*"))


def test_refused_data_ends_a_run_with_the_verdict_kept(night):
    run = night("monday", GOOD | {"check_data.min_songs": 10_000})

    with pytest.raises(RefusedError, match="the data must not be trained on"):
        stages.run_all(run)

    assert not run.read_json("check_data/check_data.json")["accepted"]


def test_golden_songs_that_are_met_let_a_model_go_live_and_one_that_is_missed_does_not(night, model_store, tmp_path):
    path = write_golden(
        tmp_path / "golden.toml",
        must([1000], [1001, 1002], 20, why="the same genre"),
        entry("must", playlist=[1000, 1001], bring_one_of=[1002, 1003], within=13, why="the same genre"),
        never([1000, 2000], [3000, 4000], 10, why="another genre"),
    )
    first = stages.run_all(night("monday", GOOD | {"gate.golden_songs": str(path)}))
    write_golden(path, path.read_text(encoding="utf-8"), never([1000], [1001, 1002], 20, why="sung to death"))

    second = stages.run_all(night("tuesday", GOOD | {"gate.golden_songs": str(path)}))

    assert first["accepted"], first["sentence"]
    assert "3 rules on golden songs met" in first["sentence"]
    assert not second["accepted"]
    assert second["sentence"].startswith("Refused: golden songs: 1000 has 100")
    assert second["sentence"].endswith("expected not among the 20 nearest (sung to death).")
    assert live(model_store) == first["version"]
    published = model_store.version(second["version"])
    assert "| golden_songs | never 2: sung to death |" in published.read("MODEL_CARD.md").decode()
    assert json.loads(published.read("metrics.json"))["golden_songs"]["min_count"] == 1
    assert second["sentence"] in second["summary"]


def test_a_mistake_in_the_golden_songs_is_found_before_the_training(night, tmp_path):
    run = trained(night("monday", GOOD | {"gate.golden_songs": str(tmp_path / "gone.toml")}), "check_data")

    with pytest.raises(SettingsError, match=r"there is no file of golden songs .*gone\.toml"):
        stages.train(run)

    assert not (tmp_path / "monday/train").exists()


def test_a_run_that_measured_with_other_golden_songs_does_not_go_on(night, model_store, tmp_path):
    path = write_golden(tmp_path / "golden.toml", must([1000], [1001], 20))
    run = night("monday", GOOD | {"gate.golden_songs": str(path)})
    stopped = stages.Run(run.settings, run.files, Stopping(run.deployment, 1), "monday", "test")
    with pytest.raises(SourceUnavailableError):
        stages.run_all(stopped)
    again = stages.Run(run.settings, run.files, Stopping(run.deployment, 2), "monday", "test")
    kept = path.read_text(encoding="utf-8")

    write_golden(path, kept, must([1000], [4000], 1))
    with pytest.raises(
        SettingsError, match=r"with other golden songs than are in .*golden\.toml now: put the file back"
    ):
        stages.run_all(again)
    write_golden(path, kept)

    assert stages.run_all(again)["version"] == live(model_store)


class Stopping:
    """A deployment whose database answers once in a run, and whose store is gone when a version is to be signed."""

    def __init__(self, deployment, tries):
        self._deployment, self._tries = deployment, tries

    def database(self, settings):
        if self._tries > 1:
            raise AssertionError("what was extracted already is not extracted again")
        return self._deployment.database(settings)

    def store(self):
        return self._deployment.store()

    def signing_key(self):
        if self._tries == 1:
            raise SourceUnavailableError("the line was cut")


def test_tuning_goes_on_in_a_bucket_on_another_machine(bucket, tmp_path):
    """Each `Run` has a scratch folder of its own, which is gone with it."""
    playlists = write_playlists(tmp_path / "playlists.parquet", genre_playlists(500))
    changes = {"train.epochs": 5, "train.vector_size": 8, "train.workers": 1}

    def run(trials):
        settings = load_settings(changes | {"tune.trials": trials})
        return stages.Run(settings, open_run_folder(f"{bucket.uri}/work", "a-run"), Here(bucket), "a-run", "minji")

    with run(2).files.stage("prepare") as out:
        out.mkdir(parents=True)
        shutil.copy(playlists, out / "playlists.parquet")
        write_heldout(out / "heldout.parquet", {"none": ([1], [2])})

    stages.tune(run(2))
    result = stages.tune(run(3))

    study = run(3).read_json("tune/study.json")
    assert [trial["number"] for trial in study["trials"]] == [0, 1, 2]
    assert result["uri"] == f"{bucket.uri}/work/a-run/tune"
    assert result["sentence"] == study["sentence"]
