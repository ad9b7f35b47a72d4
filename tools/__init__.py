"""song2vec on one machine: sample data, a Cloud Storage server and Airflow, with nothing installed system-wide.

``python -m tools run | up | sample | exec`` (or ``make run``, ``make up``, ``make sample``).

``sample`` makes playlists with a known structure; ``gcs`` is the storage server; ``places`` says where
everything lies and what environment Airflow gets; ``processes`` sees to it that no process outlives
its command; ``airflow_home`` prepares Airflow's database; ``run_log`` turns Airflow's log into a few lines;
``lock`` keeps two commands of one clone apart; ``console`` prints; ``stack`` is what the commands share, ``run`` and
``up`` are the two that people call; ``compose`` fills the servers of docker-compose.yaml. Nothing in production imports
this package.
"""
