"""Web pages over a model store: which version is live, how good each one is and why the gate let it through.

``app`` answers the requests, ``reading`` fetches what a page needs, ``models_page`` and ``version_page`` turn it into
what a template shows, with ``quality`` and ``charts``. Nothing here knows Airflow.
"""
