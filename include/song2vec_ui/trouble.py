"""What a reader is told when a page cannot be shown: what happened, what it means, what to do."""

from dataclasses import dataclass

from song2vec.errors import SettingsError
from song2vec_client.errors import AccessDeniedError, AddressError, NotFoundError, PermanentError, TransientError


class BusyError(Exception):
    """Another reader's question is loading a model right now."""


@dataclass(frozen=True)
class Trouble:
    """A message in place of a page; `detail` is for whoever mends it."""

    status: int
    heading: str
    lines: tuple[str, ...]
    detail: str = ""


NOTHING_THERE = Trouble(404, "There is no such page", ("Perhaps the address was cut when it was copied.",))
NO_SUCH_VERSION = Trouble(
    404, "There is no such version", ("It may have been removed, or the address was cut when it was copied.",)
)
NOT_LOGGED_IN = Trouble(401, "Please log in", ("These pages are for people who are logged in to Airflow.",))
NOT_ALLOWED = Trouble(
    403, "You may not see this", ("Ask whoever runs Airflow for the right to read the DAG that trains the models.",)
)
BAD_QUESTION = Trouble(422, "That address makes no sense", ("A part of it has a form that is not allowed.",))
CRASHED = Trouble(
    500, "This page has a fault", ("The API server's log says which. The models and the services are not affected.",)
)

_BUSY = Trouble(503, "A model is being loaded", ("Large models take a moment. Ask again in half a minute.",))
_SILENT = (
    "The model store does not answer",
    (
        "The bucket could not be read just now. Services keep the model that they have.",
        "Try again in a minute; if it stays like this, look at the bucket and at the network.",
    ),
)
_NOT_SET_UP = (
    "The model store cannot be reached",
    ("Its address is missing or wrong, or the rights to read it are. Trying again will not help.",),
)
_DAMAGED = (
    "The model store is damaged",
    (
        "What lies there is not what was published, so it is not shown. Services refuse it too, and keep the model "
        "that they have.",
    ),
)


def explain(error: Exception) -> Trouble:
    """Say what `error`, raised while a page was put together, means to its reader."""
    match error:
        case BusyError():
            return _BUSY
        case TransientError():
            return Trouble(503, *_SILENT, detail=str(error))
        case SettingsError() | NotFoundError() | AccessDeniedError() | AddressError():
            return Trouble(502, *_NOT_SET_UP, detail=str(error))
        case PermanentError():
            return Trouble(502, *_DAMAGED, detail=str(error))
    return CRASHED
