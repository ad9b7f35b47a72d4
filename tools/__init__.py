"""song2vec on one machine: sample data, a Cloud Storage server and Airflow, with nothing installed system-wide.

``python -m tools run | up | sample | exec`` (or ``make run``, ``make up``, ``make sample``).

``sample`` makes playlists with a known structure; ``gcs`` is the storage server; ``places`` says where
everything lies and what environment Airflow gets; ``processes`` sees to it that no process outlives
its command; ``airflow_home`` prepares Airflow's database; ``readable`` turns Airflow's log into a few lines;
``stack`` puts them together; ``compose`` fills the servers of docker-compose.yaml. Nothing in production
imports this package.
"""
