"""A study from playlists to a proposal, with real trainings: small ones."""

import shutil
import tomllib
from xml.etree import ElementTree

import numpy as np
import optuna
import pyarrow.parquet as pq
import pytest
from tests.rig.genres import genre_playlists, write_heldout, write_playlists

from song2vec.errors import BusyError, DataError, SettingsError
from song2vec.records import Tuning
from song2vec.settings import load_settings
from song2vec.tune import tune, tuning_page
from song2vec.tune.space import SPACE, Range, distributions, today_of
from song2vec.tune.study import alone_in
from song2vec.tune.watch import BEHIND, OUT_OF_TIME

SMALL = {"train.vector_size": 8, "train.workers": 1, "train.epochs": 10, "tune.minutes": 60, "tune.trials": 3}
UNTRAINED = {"train.alpha": 1e-6, "train.neighbours": 1}  # learns next to nothing: whatever is tried is better
HELD_OUT = range(0, 60)


def small(**changes):
    return load_settings({**SMALL, **{name.replace("__", "."): value for name, value in changes.items()}})


@pytest.fixture(scope="module")
def playlists(tmp_path_factory):
    return write_playlists(tmp_path_factory.mktemp("data") / "playlists.parquet", genre_playlists(660, genres=20))


@pytest.fixture(scope="module")
def proposed(playlists, tmp_path_factory):
    """A study that finds better settings than today's, and its folder."""
    out = tmp_path_factory.mktemp("proposed") / "study"
    return tune(playlists, out, load_settings(SMALL | UNTRAINED)), out


def test_todays_settings_are_the_first_trial(proposed):
    tuning, _ = proposed

    assert tuning.trials[0].settings == tuning.today
    assert tuning.today == dict(today_of(load_settings(SMALL | UNTRAINED).train))
    assert [trial.outcome for trial in tuning.trials] == ["complete"] * 3
    assert sum(trial.seconds for trial in tuning.trials) == pytest.approx(60 * tuning.minutes, abs=0.1)


def test_a_gain_on_playlists_that_chose_nothing_is_proposed_as_settings_that_load(proposed):
    tuning, out = proposed

    gain = tuning.confirmed.differences.ndcg
    assert gain.interval[0] > 0
    assert f"{gain.mean:+.4f}" in tuning.sentence
    best = max(tuning.trials, key=lambda trial: trial.ndcg)
    assert {**tuning.today, **tuning.proposed} == best.settings
    assert tomllib.loads((out / "proposed.toml").read_text())["train"] == tuning.proposed
    loaded = load_settings(file=out / "proposed.toml").train
    assert {name: getattr(loaded, name) for name in tuning.proposed} == tuning.proposed


def test_the_file_says_that_nothing_reads_it_and_how_it_is_accepted(proposed):
    text = (proposed[1] / "proposed.toml").read_text()

    assert "Nothing reads this file until a person accepts it." in text
    assert "song2vec run --config proposed.toml" in text
    assert "SONG2VEC_CONFIG" in text


def test_the_folder_holds_the_study_and_no_model(proposed):
    tuning, out = proposed

    files = {path.name for path in out.iterdir()}
    assert files == {".lock", "proposed.toml", "study.db", "study.json", "study.svg", "without.parquet"}
    assert Tuning.read(out / "study.json").to_json() == tuning.to_json()
    storage = optuna.storages.RDBStorage(f"sqlite:///{out / 'study.db'}")
    study = optuna.load_study(study_name=None, storage=storage)
    assert [trial.value for trial in study.trials] == [trial.ndcg for trial in tuning.trials]
    storage.engine.dispose()


def test_the_picture_has_a_dot_for_each_complete_trial(proposed):
    tuning, out = proposed

    circles = ElementTree.parse(out / "study.svg").findall("{*}circle")
    assert [circle.get("class") for circle in circles] == ["today", *["trial"] * (len(tuning.trials) - 1)]


def test_the_page_shows_todays_settings_first(proposed):
    page = tuning_page(proposed[0])

    table = page[page.index("trial  ") :].splitlines()
    assert table[2].startswith("0 (today)")
    assert all(name in table[0] for name in SPACE)
    assert "those held out took no part" in page


def test_run_again_it_gives_the_same_and_trains_no_further(proposed, playlists):
    tuning, out = proposed

    again = tune(playlists, out, load_settings(SMALL | UNTRAINED))

    assert again == tuning


def test_run_again_with_more_trials_and_in_another_folder_it_goes_on(proposed, playlists, tmp_path):
    tuning, out = proposed
    copy = shutil.copytree(out, tmp_path / "copy")
    changes = {"tune.trials": 4, "tune.minutes": 30, "train.checkpoint_seconds": 5}

    more = tune(playlists, copy, load_settings(SMALL | UNTRAINED | changes))

    assert more.trials[:3] == tuning.trials
    assert len(more.trials) == 4


def test_a_study_of_other_settings_or_playlists_is_not_gone_on_with(proposed, playlists, tmp_path):
    _, out = proposed
    others = write_playlists(tmp_path / "playlists.parquet", genre_playlists(700, genres=20))

    for path, changes in ((others, {}), (playlists, {"train.window": 7}), (playlists, {"tune.seed": 2})):
        with pytest.raises(SettingsError, match="holds a study of other playlists, settings or ranges"):
            tune(path, out, load_settings(SMALL | UNTRAINED | changes))


def test_a_second_process_in_the_folder_is_refused(playlists, tmp_path):
    with alone_in(tmp_path), pytest.raises(BusyError, match="another process is tuning"):
        tune(playlists, tmp_path, small())


def test_the_held_out_playlists_take_no_part(tmp_path):
    """Whatever they hold, and if they are not there at all: every trial and the confirmation are the same."""
    lists = genre_playlists(660, genres=20)
    poison = [[10**9 + number, 10**9] * 9 for number in range(len(lists))]
    names = {f"p{number}": ([1], [2]) for number in HELD_OUT}
    heldout = write_heldout(tmp_path / "heldout.parquet", names)
    clean = write_playlists(tmp_path / "clean.parquet", lists)
    poisoned = [poison[number] if number in HELD_OUT else songs for number, songs in enumerate(lists)]
    other = write_playlists(tmp_path / "poisoned.parquet", poisoned)
    absent = tmp_path / "absent.parquet"
    pq.write_table(pq.read_table(clean).slice(len(HELD_OUT)), absent)

    studies = [
        tune(path, tmp_path / path.stem, load_settings(SMALL | {"tune.trials": 2}), heldout=heldout)
        for path in (clean, other, absent)
    ]

    untimed = [
        study.model_copy(
            update={
                "minutes": 0,
                "trials": tuple(one.model_copy(update={"minutes": 0, "seconds": 0}) for one in study.trials),
            }
        )
        for study in studies
    ]
    assert untimed[0] == untimed[1] == untimed[2]


def test_where_no_settings_rank_better_than_todays_nothing_is_proposed(tmp_path):
    rng = np.random.default_rng(1)
    lists = [rng.permutation(np.arange(1, 9)).tolist() for _ in range(600)]  # what is not shown is hidden
    playlists = write_playlists(tmp_path / "playlists.parquet", lists)

    tuning = tune(playlists, tmp_path / "study", small())

    assert [trial.ndcg for trial in tuning.trials] == [1.0] * 3
    assert tuning.sentence.startswith("Nothing is proposed: none of 2 other settings ranked better than today's")
    assert (tuning.proposed, tuning.confirmed) == ({}, None)
    assert not (tmp_path / "study/proposed.toml").exists()


def test_a_training_is_ended_when_the_minutes_are_over(playlists, tmp_path):
    tuning = tune(playlists, tmp_path / "study", small(tune__minutes=1e-5))

    assert [(trial.outcome, trial.why) for trial in tuning.trials] == [("pruned", OUT_OF_TIME)]
    assert tuning.sentence == "Nothing is proposed: no training was complete in time. Raise tune.minutes."
    assert tuning.proposed == {}

    again = tune(playlists, tmp_path / "study", small(tune__trials=2))

    assert again.trials[0] == tuning.trials[0]
    assert (again.trials[1].outcome, again.trials[1].settings) == ("complete", tuning.today)
    ElementTree.parse(tmp_path / "study/study.svg")


def test_a_training_that_ranks_behind_the_others_is_ended_early(tmp_path):
    """The others, which are made up, ranked perfectly from the first step on."""
    playlists = write_playlists(tmp_path / "playlists.parquet", genre_playlists(3_200, genres=20))
    today = today_of(small().train)
    perfect = optuna.create_trial(
        params=dict(today),
        distributions=distributions(today),
        value=1.0,
        intermediate_values=dict.fromkeys(range(1, 11), 1.0),
        user_attrs={"values": dict(today)},
    )
    tune(playlists, tmp_path / "study", small(tune__trials=2))
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'study/study.db'}")
    optuna.load_study(study_name=None, storage=storage).add_trials([perfect] * 5)
    storage.engine.dispose()

    tuning = tune(playlists, tmp_path / "study", small(tune__trials=2 + 5 + 1))

    last = tuning.trials[-1]
    assert (last.outcome, last.why, last.ndcg) == ("pruned", BEHIND, None)
    assert not (tmp_path / "study/work").exists()


def test_settings_that_cannot_be_trained_with_are_a_failed_trial_and_the_search_goes_on(
    playlists, tmp_path, monkeypatch
):
    monkeypatch.setitem(SPACE, "alpha", Range(1.5, 1_000))  # nearly all of it above what may be

    tuning = tune(playlists, tmp_path / "study", small())

    assert [trial.outcome for trial in tuning.trials] == ["complete", "failed", "failed"]
    assert all("less than or equal to 1" in trial.why for trial in tuning.trials[1:])


def test_too_few_playlists_are_refused(tmp_path):
    path = write_playlists(tmp_path / "playlists.parquet", genre_playlists(100))

    with pytest.raises(DataError, match="found 100 playlists that are not held out, expected at least 500"):
        tune(path, tmp_path / "study", small())
