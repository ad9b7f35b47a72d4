"""What a person may ask for in the form of `song2vec_promote`, and what then happens in the store."""

from datetime import timedelta

import pytest
from airflow.sdk import ParamsDict  # type: ignore[attr-defined]  # it is made on first use
from airflow.sdk.exceptions import ParamValidationError
from tests.rig.models import FINISHED, publish_model

from song2vec.channels import history
from song2vec.errors import PinnedError, SettingsError
from song2vec_airflow.move_form import move_channel, move_form
from song2vec_client.errors import NotFoundError
from song2vec_client.store import ModelStore


@pytest.fixture
def versions(bucket, tmp_path):
    return [
        publish_model(bucket, tmp_path / name, finished=FINISHED + timedelta(days=day)).version
        for day, name in enumerate("abc")
    ]


@pytest.fixture
def ask(bucket):
    """Fill the form in and trigger; each time a run of its own."""

    def move(action, version=None, *, run=None, **fields):
        form = ParamsDict(move_form())
        form.update({"action": action, "version": version, "reason": f"{action} it", **fields})
        name = run or f"song2vec_promote/manual-{len(history(bucket))}"
        return move_channel(bucket, form.validate(), who="minji", run=name)

    return move


def test_all_that_a_person_can_do(bucket, versions, ask):
    a, b, c = versions

    assert ask("promote", a).version == a
    assert ask("promote", b).version == b
    assert ask("rollback").version == a
    assert ask("pin", b).pinned
    with pytest.raises(PinnedError):
        ask("promote", c)
    assert ask("promote", c, force=True).version == c
    assert ask("pin").version == c
    assert not ask("unpin").pinned
    assert ask("rollback", a).version == a
    assert ask("promote", b, channel="candidate").channel == "candidate"

    moves = history(bucket)
    assert [move.kind for move in moves] == [
        *("promote", "promote", "rollback", "pin", "promote", "pin", "unpin", "rollback", "promote")
    ]
    assert {(move.who, move.why) for move in moves} == {("minji", f"{move.kind} it") for move in moves}
    assert ModelStore.of(bucket).resolve("production").version == a


def test_a_run_that_is_cleared_does_not_move_again(bucket, versions, ask):
    for version in versions:
        ask("promote", version)

    for _ in range(2):
        assert ask("rollback", run="song2vec_promote/manual").version == versions[1]
    assert len(history(bucket)) == 4


UNKNOWN = "20260131T040000Z-00000000"


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        (("promote",), SettingsError, "needs a version: copy its name from the page Models"),
        (("unpin", UNKNOWN), SettingsError, "needs no version"),
        (("promote", UNKNOWN), NotFoundError, f"no version {UNKNOWN}"),
        (("rollback",), NotFoundError, "nothing was ever promoted"),
        (("pin",), NotFoundError, "nothing was ever promoted"),
    ],
)
def test_what_is_not_possible_is_said_so_and_moves_nothing(bucket, ask, asked, error, says):
    with pytest.raises(error, match=says):
        ask(*asked)
    assert history(bucket) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "delete"),
        ("version", "production"),
        ("version", "../20260131T040000Z-00000000"),
        ("channel", "Production"),
        ("reason", "  "),
        ("force", "yes"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_form_itself(field, value):
    with pytest.raises(ParamValidationError):
        move_form()[field].resolve(value)
