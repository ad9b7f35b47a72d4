import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from song2vec.errors import SettingsError
from song2vec.settings import Settings, load_settings, sections
from song2vec_client.errors import PermanentError


def test_gensim_has_the_settings_of_the_original_pipeline():
    train = load_settings({"train.trainer": "gensim"}).train
    original: dict[str, float] = {"vector_size": 256, "window": 10, "min_count": 3, "negative": 20, "epochs": 100}
    original |= {"alpha": 0.025, "min_alpha": 0.0001, "sample": 1e-3, "ns_exponent": 0.75}
    original |= {"validation_playlists": 0, "patience": 0}  # it learns from all playlists, to the end
    assert {name: getattr(train, name) for name in original} == original


def test_what_is_given_is_kept_whatever_the_trainer_and_an_empty_field_is_not_given():
    train = load_settings({"train.trainer": "gensim", "train.epochs": 7, "train.window": ""}).train
    assert (train.epochs, train.window) == (7, 10)
    assert load_settings({"train.window": "", "train.epochs": None}).train == load_settings().train


def test_a_change_leaves_the_rest_as_it_is():
    changed = load_settings({"train.epochs": 5})
    assert changed.train.epochs == 5
    assert changed.model_copy(update={"train": load_settings().train}) == load_settings()


@given(st.integers(1, 10_000))
def test_text_becomes_the_type_of_the_setting(epochs):
    assert load_settings({"train.epochs": str(epochs)}) == load_settings({"train.epochs": epochs})


def test_the_stronger_source_wins(tmp_path, monkeypatch):
    file = tmp_path / "song2vec.toml"
    file.write_text("[train]\nepochs = 2\nwindow = 3\nnegative = 4\n")
    monkeypatch.setenv("SONG2VEC_CONFIG", str(file))
    monkeypatch.setenv("SONG2VEC_TRAIN__WINDOW", "30")
    monkeypatch.setenv("SONG2VEC_TRAIN__NEGATIVE", "40")
    train = load_settings({"train.negative": 400}).train
    assert (train.epochs, train.window, train.negative, train.min_count) == (2, 30, 400, 3)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("train.epoch", "train.epochs"), ("extract.tabel", "extract.table"), ("epochs", "train.epochs")],
)
def test_a_name_that_does_not_exist_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(SettingsError, match=f"there is no setting '{name}'. Did you mean .*{nearest}"):
        load_settings({name: 1})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("train.epochs", 0, "greater than or equal to 1"),
        ("train.epochs", "many", "valid integer"),
        ("holdout.share", 1.5, "less than or equal to 1"),
        ("train.trainer", "magic", "gensim"),
        ("publish.channel", "No Such", "pattern"),
        ("collect.encoding", "klingon", "use auto, utf-8, cp949"),
        ("collect.encoding", "hex", "use auto, utf-8, cp949"),
        ("prepare.memory", "lots", "pattern"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name, value, expected):
    with pytest.raises(SettingsError, match=expected) as caught:
        load_settings({name: value})
    assert name.split(".")[0] in str(caught.value)
    assert repr(value) in str(caught.value)


def test_the_learning_rate_of_gensim_never_rises():
    with pytest.raises(SettingsError, match="lower min_alpha"):
        load_settings({"train.trainer": "gensim", "train.min_alpha": 0.5})
    load_settings({"train.alpha": 1e-6})  # our own does not fall


def test_every_wrong_value_is_named_at_once():
    with pytest.raises(SettingsError) as caught:
        load_settings({"train.epochs": 0, "holdout.share": 2})
    assert "train.epochs = 0" in str(caught.value)
    assert "holdout.share = 2" in str(caught.value)


def test_a_wrong_value_in_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("SONG2VEC_TRAIN__EPOCHS", "-1")
    with pytest.raises(SettingsError, match=r"train.epochs = '-1'"):
        load_settings()


def test_a_wrong_name_in_the_file_is_answered_with_the_nearest(tmp_path, monkeypatch):
    (tmp_path / "a.toml").write_text("[train]\nepoch = 2\n")
    monkeypatch.setenv("SONG2VEC_CONFIG", str(tmp_path / "a.toml"))
    with pytest.raises(SettingsError, match=r"there is no setting 'train.epoch'. Did you mean train.epochs"):
        load_settings()


def test_a_section_that_does_not_exist_is_refused_and_the_other_variables_of_song2vec_are_not_settings(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("SONG2VEC_WORKSPACE", "gs://bucket/work")
    assert load_settings() == Settings()

    (tmp_path / "a.toml").write_text("[trian]\nepochs = 2\n")
    monkeypatch.setenv("SONG2VEC_CONFIG", str(tmp_path / "a.toml"))

    with pytest.raises(SettingsError, match="no setting 'trian'"):
        load_settings()


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SONG2VEC_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(SettingsError, match=r"missing.toml does not exist"):
        load_settings()
    (tmp_path / "missing.toml").write_text("[train\n")
    with pytest.raises(SettingsError, match=r"missing.toml cannot be read"):
        load_settings()


def test_a_file_that_is_given_is_read_instead_of_the_usual_one(tmp_path, monkeypatch):
    for name, epochs in (("usual", 2), ("given", 3)):
        (tmp_path / f"{name}.toml").write_text(f"[train]\nepochs = {epochs}\n")
    monkeypatch.setenv("SONG2VEC_CONFIG", str(tmp_path / "usual.toml"))

    assert load_settings(file=tmp_path / "given.toml").train.epochs == 3
    assert load_settings({"train.epochs": 4}, file=tmp_path / "given.toml").train.epochs == 4
    assert load_settings().train.epochs == 2
    with pytest.raises(SettingsError, match=r"missing.toml does not exist"):
        load_settings(file=tmp_path / "missing.toml")


def test_a_variable_that_is_no_setting_but_a_section_is_answered_with_how_to_name_one(monkeypatch):
    monkeypatch.setenv("SONG2VEC_TRAIN", "5")
    with pytest.raises(SettingsError, match="train"):
        load_settings()
    monkeypatch.setenv("SONG2VEC_TRAIN", "epochs=5")
    with pytest.raises(SettingsError, match="name one setting, such as SONG2VEC_TRAIN__EPOCHS=5"):
        load_settings()


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().train.epochs = 1  # type: ignore[misc]


def test_settings_survive_being_written_as_json():
    settings = load_settings({"train.epochs": 7, "collect.pattern": "*.txt"})
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_every_setting_is_described_and_has_a_valid_default():
    for section, model in sections().items():
        assert model(), section
        for name, field in model.model_fields.items():
            assert field.description, f"{section}.{name} has no description"
            assert field.description.endswith("."), f"{section}.{name}"


def test_a_settings_error_is_permanent_and_a_value_error():
    assert issubclass(SettingsError, PermanentError)
    assert issubclass(SettingsError, ValueError)
