"""What a study looks like to people: a page, a table, a picture, a settings file; of any study."""

import tomllib
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from song2vec.cli import frames
from song2vec.records import Confirmed, Difference, Differences, Figures, Trial, Tuning
from song2vec.tune.page import tuning_page
from song2vec.tune.picture import HEIGHT, WIDTH, picture
from song2vec.tune.proposal import proposal, verdict

TODAY: dict[str, Any] = {"epochs": 20, "alpha": 0.2}

ndcgs = st.none() | st.floats(0, 1)
trials = st.lists(st.tuples(ndcgs, st.integers(1, 100), st.floats(1e-6, 1)), max_size=12)


def made(trials, difference=None):
    """A study with these rankings, epochs and learning rates; the first has today's settings."""
    rows = [
        Trial(
            number=number,
            outcome="pruned" if ndcg is None else "complete",
            settings={"epochs": epochs, "alpha": alpha} if number else TODAY,
            minutes=float(number),
            **({} if ndcg is None else {"ndcg": ndcg}),
        )
        for number, (ndcg, epochs, alpha) in enumerate(trials)
    ]
    confirmed = difference and Confirmed(
        today=Figures(ndcg=0.2), best=Figures(ndcg=0.2 + difference.mean), differences=Differences(ndcg=difference)
    )
    return Tuning(
        sentence="A sentence.",
        proposed={},
        today=TODAY,
        top=100,
        training_playlists=800,
        choose_playlists=100,
        confirm_playlists=100,
        minutes=float(len(rows)),
        trials=tuple(rows),
        importance={"epochs": 0.75, "alpha": 0.25} if rows else {},
        **({"confirmed": confirmed} if confirmed else {}),
    )


@given(trials)
def test_any_study_is_read_as_it_was_written(trials):
    tuning = made(trials)

    assert Tuning.parse(tuning.to_bytes()).to_json() == tuning.to_json()


@given(trials)
def test_any_study_has_a_page_with_its_best_trial_and_how_many_there_were(trials):
    page = tuning_page(made(trials))

    ranked = [ndcg for ndcg, _, _ in trials if ndcg is not None]
    assert page.startswith("A sentence.")
    assert f"{len(trials):,} trials in" in page
    assert not ranked or f"{max(ranked):.4f}" in page


@given(trials)
def test_any_study_can_be_drawn_inside_the_picture(trials):
    drawn = ElementTree.fromstring(picture(made(trials)))

    circles = drawn.findall("{*}circle")
    assert len(circles) == sum(ndcg is not None for ndcg, _, _ in trials)
    for circle in circles:
        assert 0 <= float(circle.attrib["cx"]) <= WIDTH
        assert 0 <= float(circle.attrib["cy"]) <= HEIGHT
    assert len(drawn.findall("{*}rect[@class='bar']")) == (2 if trials else 0)


@given(trials)
def test_any_study_is_a_table_of_trials(trials):
    frame = frames.tuning(made(trials))

    assert list(frame) == ["trial", "outcome", "ndcg", "seconds", "minutes", "epochs", "alpha"]
    assert len(frame) == len(trials)


@given(st.integers(1, 100), st.floats(1e-9, 1))
def test_a_proposal_holds_exactly_what_is_proposed(epochs, alpha):
    proposed = {"epochs": epochs, "alpha": alpha}

    assert tomllib.loads(proposal(made([]).model_copy(update={"proposed": proposed}))) == {"train": proposed}


@given(low=st.floats(-0.1, 0.1), width=st.floats(0, 0.1))
def test_only_a_gain_whose_interval_lies_above_0_is_proposed(low, width):
    difference = Difference(mean=low + width / 2, interval=(low, low + width))

    sentence, accepted = verdict(made([(0.2, 20, 0.2), (0.3, 40, 0.1)], difference))

    assert accepted == (low > 0)
    assert sentence.startswith("Better settings are proposed" if accepted else "Nothing is proposed")
    assert f"{difference.mean:+.4f}" in sentence
