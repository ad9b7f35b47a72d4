"""The model pages as Airflow serves them: behind its log-in, over the store of the connection ``song2vec_models``."""

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from song2vec_airflow.connections import Connections
from song2vec_ui.app import create_app
from song2vec_ui.rendering import root, show
from song2vec_ui.trouble import Trouble

DAG = "song2vec_retrain"


def build() -> FastAPI:
    """The app that the plugin serves: whoever may read the DAG `song2vec_retrain` may read its models."""
    may_read = Depends(requires_access_dag(method="GET", param_dag_id=DAG))
    app = create_app(Connections().store, dependencies=[may_read])

    @app.get("/dags/{dag_id}")
    def models_of(request: Request, dag_id: str) -> Response:
        """Airflow shows a plugin's tab on the page of every DAG; only those of song2vec have models."""
        if dag_id.startswith("song2vec_"):
            return RedirectResponse(f"{root(request)}/models")
        return show(request, Trouble(404, "No models here", (f"The DAG {dag_id} trains no song model; {DAG} does.",)))

    return app
