"""Web pages over a model store: which version is live, how good each one is and why the gate let it through.

``app`` answers the requests, ``reading`` fetches what a page needs, ``pages`` turns it into what a template
shows, ``records`` and ``charts`` serve ``pages``. Nothing here knows Airflow.
"""
