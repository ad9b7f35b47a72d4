"""When a training ends, which epoch counts, and what is said if it diverged; the ranking of each epoch is forced."""

from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from song2vec.playlists.corpus import Ragged
from song2vec.settings import TrainSettings
from song2vec.train.checkpoint import Checkpoint
from song2vec.train.epochs import Epochs, Validation
from song2vec.train.sampled_loss import LossSample
from song2vec_client.errors import PermanentError

SONGS = 12
LOSS = LossSample(np.array([0]), np.array([1]), np.array([2]), negative=1)
VALIDATION = Validation(shown=Ragged(np.array([0]), np.array([0, 1])), hidden=Ragged(np.array([1]), np.array([0, 1])))


def ranking(place: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """A model that recommends the hidden song at `place` (1: the best), and that can be told from others by `epoch`."""
    score = np.concatenate([[0, 0], np.arange(SONGS - 2, 0, -1)])  # of the songs, as the shown song 0 votes
    score[1] = SONGS - place - 0.5
    vectors = np.tile(np.array([1, 0], np.float32), (SONGS, 1))
    context = np.stack([score, np.full(SONGS, epoch)], axis=1).astype(np.float32)
    return vectors, context


def epochs_of(folder: Path, **changes: int) -> Epochs:
    options = TrainSettings(**{"epochs": 20, "measure_every": 1, "patience": 2, **changes})
    return Epochs(options, 100, LOSS, VALIDATION, Checkpoint(folder / "checkpoint", "a", every=60))


def drive(epochs: Epochs, places: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Train as a trainer would, while it is told to: after each epoch the hidden song is at the next of `places`."""
    model = ranking(1, 0)
    while epochs.going_on:
        epoch = len(epochs.records) + 1
        for array, now in zip(model, ranking(places[epoch - 1], epoch), strict=True):
            array[:] = now
        epochs.end(*model)
    epochs.restore_best(*model)
    return model


def test_it_ends_when_the_ranking_has_not_improved_for_so_long_and_the_best_counts(tmp_path: Path) -> None:
    epochs = epochs_of(tmp_path)
    vectors, context = drive(epochs, [5, 3, 4, 2, 3, 3, 1, 1])
    assert len(epochs.records) == 6
    assert epochs.chosen == 4
    np.testing.assert_array_equal(vectors, ranking(2, 4)[0])
    np.testing.assert_array_equal(context, ranking(2, 4)[1])


def test_the_ranking_is_measured_every_few_epochs_and_at_the_end(tmp_path: Path) -> None:
    epochs = epochs_of(tmp_path, measure_every=3, epochs=8)
    drive(epochs, [9, 9, 5, 1, 1, 4, 9, 3])
    assert [record["epoch"] for record in epochs.records if "ndcg" in record] == [3, 6, 8]
    assert epochs.chosen == 8


def test_without_patience_it_goes_on_to_the_end_and_the_last_counts(tmp_path: Path) -> None:
    epochs = epochs_of(tmp_path, patience=0, epochs=5)
    _, context = drive(epochs, [1, 2, 3, 4, 5])
    assert epochs.chosen == len(epochs.records) == 5
    assert context[0, 1] == 5
    assert not (tmp_path / "checkpoint").exists()


def test_the_last_epoch_counts_where_it_is_the_best(tmp_path: Path) -> None:
    epochs = epochs_of(tmp_path, epochs=4)
    _, context = drive(epochs, [4, 3, 2, 1])
    assert epochs.chosen == context[0, 1] == 4


def test_the_best_of_before_an_interruption_is_found_again_after_it(tmp_path: Path) -> None:
    first = epochs_of(tmp_path)
    for epoch, place in enumerate([5, 2, 3], 1):
        first.end(*ranking(place, epoch))
    assert first.checkpoint.save({"epochs": first.to_array()}, best=first.kept)

    second = epochs_of(tmp_path)
    state = second.checkpoint.load()
    assert state is not None
    second.resume(state["epochs"])
    assert second.records == first.records
    _, context = drive(second, [5, 2, 3, 3, 1])

    assert len(second.records) == 4
    assert second.chosen == context[0, 1] == 2


def test_a_best_model_that_is_gone_is_missed_aloud_and_the_last_counts(tmp_path: Path) -> None:
    epochs = epochs_of(tmp_path)
    model = ranking(3, 2)
    epochs.end(*ranking(2, 1))
    epochs.end(*model)
    epochs.checkpoint.remove()

    with capture_logs() as logs:
        epochs.restore_best(*model)

    assert (epochs.chosen, model[1][0, 1]) == (2, 2)
    assert [(log["log_level"], log["best"]) for log in logs] == [("warning", 1)]


def test_an_epoch_that_was_interrupted_took_as_long_as_both_its_parts(tmp_path: Path) -> None:
    first, second = epochs_of(tmp_path), epochs_of(tmp_path)
    first._begun -= 1_000
    second.resume(first.to_array())
    second.end(*ranking(1, 1))
    assert 1_000 < second.records[0]["seconds"] < 2_000


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("matrix", [0, 1])
def test_a_training_that_diverged_ends_for_good_and_says_what_to_do(tmp_path: Path, bad: float, matrix: int) -> None:
    epochs = epochs_of(tmp_path)
    epochs.end(*ranking(1, 1))
    model = ranking(1, 2)
    model[matrix][SONGS - 1, 1] = bad

    with pytest.raises(PermanentError, match=r"diverged in epoch 2: .* Lower train.alpha \(it is 0.2\)"):
        epochs.end(*model)

    assert not (tmp_path / "checkpoint").exists()  # nobody goes on from there
