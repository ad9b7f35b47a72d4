"""The web app: which address shows what, and what is said where something is wrong."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from song2vec_client.errors import NotFoundError
from song2vec_client.store import ModelStore
from song2vec_ui import trouble
from song2vec_ui.reading import Readers
from song2vec_ui.rendering import STATIC, render, root, show
from song2vec_ui.similar import similar_songs

log = structlog.get_logger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_KINDS = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
_BY_STATUS = {401: trouble.NOT_LOGGED_IN, 403: trouble.NOT_ALLOWED, 404: trouble.NOTHING_THERE}


def create_app(open_store: Callable[[], ModelStore], dependencies: Sequence[Depends] = ()) -> FastAPI:
    """Build the pages over the store that `open_store` opens.

    Args:
        open_store: called again from time to time, so that a changed address or key is noticed.
        dependencies: FastAPI dependencies that every address asks first: the log-in.
    """
    app = FastAPI(dependencies=list(dependencies), openapi_url=None)
    readers = Readers(open_store)
    app.middleware("http")(_guard)
    app.exception_handler(AnyHTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_senseless)

    @app.get("/")
    def home(request: Request) -> Response:
        return RedirectResponse(f"{root(request)}/models")

    @app.get("/models")
    def models(request: Request, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> Response:
        shown = readers.current().models(page)
        return render(request, "models.html", page=shown) if shown else render(request, "empty.html")

    @app.get("/models/{version}")
    def version(request: Request, version: str, song: str = "") -> Response:
        reader = readers.current()
        try:
            shown = reader.version(version)
        except NotFoundError as error:
            return show(request, replace(trouble.NO_SUCH_VERSION, detail=str(error)))
        similar = similar_songs(song, lambda: reader.model(version))
        return render(request, "version.html", page=shown, similar=similar)

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _KINDS:
            raise HTTPException(404)
        content = (STATIC / name).read_bytes()
        return Response(content, media_type=_KINDS[name], headers={"Cache-Control": "private, max-age=86400"})

    return app


async def _guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Turn what goes wrong into a message, and put the security headers on every answer."""
    try:
        response = await answer(request)
    except Exception as error:
        problem = trouble.explain(error)
        crashed = problem is trouble.CRASHED
        log.warning("a page could not be shown", path=request.url.path, error=str(error), exc_info=crashed)
        response = show(request, problem)
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, AnyHTTPException) else 500
    detail = str(error.detail) if isinstance(error, AnyHTTPException) else ""
    return show(request, _BY_STATUS.get(status) or trouble.Trouble(status, "This did not work", (detail,)))


def _senseless(request: Request, _: Exception) -> Response:
    return show(request, trouble.BAD_QUESTION)
