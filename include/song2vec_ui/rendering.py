"""From a template and its values to an HTTP response."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from song2vec_client.format.layout import is_version
from song2vec_ui import charts
from song2vec_ui.trouble import Trouble
from song2vec_ui.words import FILTERS

STATIC = Path(__file__).parent / "static"


def _environment() -> Environment:
    """The templates; every value is escaped, and a misspelt name is an error instead of nothing."""
    environment = Environment(
        loader=PackageLoader("song2vec_ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.tests["version_name"] = is_version
    environment.globals.update(
        style=hashlib.sha256((STATIC / "style.css").read_bytes()).hexdigest()[:8],
        chart={name.lower(): getattr(charts, name) for name in ("WIDTH", "HEIGHT", "LEFT", "RIGHT", "TOP", "BOTTOM")},
    )
    return environment


_TEMPLATES = _environment()


def render(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """The template `template` as an HTML response."""
    page = _TEMPLATES.get_template(template)
    return HTMLResponse(page.render(root=root(request), now=datetime.now(UTC), **values), status)


def show(request: Request, trouble: Trouble) -> Response:
    """A message in place of a page."""
    return render(request, "message.html", trouble.status, trouble=trouble)


def root(request: Request) -> str:
    """Where the app is mounted, as the browser sees it; not from the Host header, which anybody may forge."""
    return str(request.scope.get("root_path", "")).rstrip("/")
