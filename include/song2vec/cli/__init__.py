"""The command line, on Typer and Rich: everything a task does, by the same functions, without Airflow.

``main`` lists the commands; ``data``, ``model``, ``store``, ``channels`` and ``whole`` hold them, each a function of
the settings and its options that returns a record. ``command`` says how every one of them runs, ``options`` has the
options that several share. Of the record, ``show`` makes text and tables for people, ``frames`` a data frame for CSV
and Excel, and ``output`` prints or writes it.
"""
