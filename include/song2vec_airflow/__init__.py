"""Where Airflow meets song2vec: connections become adapters, params become settings, errors become task states."""
