"""What is known of a setting beside its type, and the page that is made of it."""

import re
from pathlib import Path

import pytest

from song2vec.settings import TrainSettings, about, original_settings, sections
from song2vec.settings.table import markdown

EVERY = {f"{section}.{name}": (model, name) for section, model in sections().items() for name in model.model_fields}
EACH = [pytest.param(*setting, id=name) for name, setting in EVERY.items()]


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("extract.fetch_rows", 50_000, "50,000 rows"),
        ("retention.keep_days", 1, "1 day"),
        ("retention.keep_days", 0, "0 days"),
        ("gate.min_slice_ndcg", 0.0, "0: not asked"),
        ("gate.min_slice_ndcg", 0.25, "0.25"),
        ("gate.approval_hours", 0.5, "0.5 hours"),
        ("gate.approval", False, "False"),
        ("gate.force", "", "(empty)"),
        ("publish.channel", "production", "production"),
    ],
)
def test_a_value_in_words(setting, value, words):
    assert about(*EVERY[setting]).in_words(value) == words


@pytest.mark.parametrize(("model", "name"), EACH)
def test_a_description_leaves_to_the_fields_what_they_say(model, name):
    facts = about(model, name)

    assert not re.search(r"\[|\b0:|[Ee]mpty:", facts.description)
    assert facts.sentences.startswith(facts.description)
    assert bool(facts.zero) == ("0: " in facts.sentences)
    assert bool(facts.empty) == ("Empty: " in facts.sentences)


@pytest.mark.parametrize(("model", "name"), EACH)
def test_what_0_and_the_empty_text_mean_is_said_only_where_they_are_allowed(model, name):
    facts, rest = about(model, name), {"trainer": "gensim"} if model is TrainSettings else {}

    if facts.zero:
        assert getattr(model.model_validate({**rest, name: 0}), name) == 0
    if facts.empty:
        assert getattr(model.model_validate({**rest, name: ""}), name) == ""


def test_what_comes_after_the_training_does_not_affect_the_model():
    same = {name for name, setting in EVERY.items() if not about(*setting).affects_model}
    after = ("check_data.", "evaluate.", "gate.", "publish.", "retention.", "tune.")
    assert {name for name in same if not name.startswith(after)} == {
        "extract.fetch_rows",
        "extract.timeout",
        "collect.folder",
        "collect.strict",
        "prepare.memory",
        "prepare.threads",
        "train.checkpoint_seconds",
        "train.workers",
    }
    assert {name for name in EVERY if name.startswith(after)} <= same


def test_the_defaults_of_gensim_are_part_of_the_definition():
    assert original_settings() == {
        name: about(TrainSettings, name).gensim
        for name in ("window", "negative", "epochs", "alpha", "ns_exponent", "validation_playlists", "patience")
    }


def test_every_setting_is_in_the_page_and_the_page_is_up_to_date():
    page = Path("docs/configuration.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+\.\w+)`", page, re.MULTILINE) == list(EVERY)
    assert page == markdown(), "run `make docs`"
