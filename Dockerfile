# Airflow with song2vec in it. Used by docker-compose.yaml; as good under Kubernetes.
ARG AIRFLOW_VERSION=3.3.2

# The trainer's loop is C. It is compiled here: the image that runs needs no compiler.
FROM python:3.11-bookworm AS compiled
COPY pyproject.toml README.md /song2vec/
COPY include /song2vec/include
RUN pip install --no-cache-dir --no-deps --editable /song2vec

FROM apache/airflow:slim-${AIRFLOW_VERSION}-python3.11

# What song2vec runs on, in the versions that requirements.txt pins, without the development tools.
COPY requirements.in requirements.txt /tmp/requirements/
RUN sed '/^# development$/,$d' /tmp/requirements/requirements.in > /tmp/requirements/runtime.in \
    && pip install --no-cache-dir --requirement /tmp/requirements/runtime.in --constraint /tmp/requirements/requirements.txt \
    && pip check

COPY --chown=airflow:root --from=compiled /song2vec/include /opt/airflow/include
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root dags /opt/airflow/dags
# The folders that volumes are mounted on belong to the user that runs, or Docker would make them root's.
RUN mkdir -p /opt/airflow/workspace /opt/airflow/csv /opt/airflow/secrets /opt/airflow/logs

ENV PYTHONPATH=/opt/airflow/include \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    SONG2VEC_WORKSPACE=/opt/airflow/workspace \
    SONG2VEC_COLLECT__FOLDER=/opt/airflow/csv

USER airflow
