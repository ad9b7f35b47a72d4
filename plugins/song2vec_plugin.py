"""Registers the model pages with Airflow's UI."""

import asyncio
import functools
from typing import Any

from airflow.plugins_manager import AirflowPlugin


@functools.cache
def _pages() -> Any:
    from song2vec_airflow.ui import build

    return build()


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """The pages as an ASGI application, imported at the first request.

    Airflow loads plugins in every task's process too, where the import would cost seconds and serve nobody.
    """
    app = await asyncio.to_thread(_pages)
    await app(scope, receive, send)


class Song2VecPlugin(AirflowPlugin):
    """`Models` in the navigation and on the pages of a DAG.

    The addresses are relative: Airflow's UI resolves them against its base URL, wherever that is.
    """

    name = "song2vec"
    fastapi_apps = [{"name": "song2vec", "app": pages, "url_prefix": "/song2vec"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Models",
            "href": "song2vec/models",
            "icon": "song2vec/static/icon.svg",
            "destination": "nav",
            "url_route": "song2vec-models",
            "nav_top_level": True,
        },
        {
            "name": "Models",
            "href": "song2vec/dags/{DAG_ID}",
            "icon": "song2vec/static/icon.svg",
            "destination": "dag",
            "url_route": "models",
        },
    ]
