# Airflow with song2vec in it. Used by docker-compose.yaml; as good under Kubernetes.
ARG AIRFLOW_VERSION=3.3.2

# Two wheels, the client's and the pipeline's. The trainer's loop is C and is compiled here: the image that runs needs no
# compiler. What they run on is listed on its own, so that a change of the code does not install all of it again.
FROM python:3.11-bookworm AS built
COPY pyproject.toml README.md LICENSE /song2vec/
RUN mkdir /dependencies && python -c "import tomllib; \
project = tomllib.load(open('/song2vec/pyproject.toml', 'rb'))['project']; \
print(*project['dependencies'], *project['optional-dependencies']['airflow'], sep='\n')" \
    | grep --invert-match '^song2vec' > /dependencies/runtime.txt
COPY include /song2vec/include
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /song2vec/include/song2vec_client /song2vec

FROM apache/airflow:slim-${AIRFLOW_VERSION}-python3.11

# In the versions that requirements.txt pins, without the development tools.
COPY requirements.txt /tmp/requirements/
COPY --from=built /dependencies /tmp/requirements
RUN pip install --no-cache-dir --requirement /tmp/requirements/runtime.txt --constraint /tmp/requirements/requirements.txt
COPY --from=built /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps /tmp/wheels/*.whl && pip check

COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root dags /opt/airflow/dags
# The folders that volumes are mounted on belong to the user that runs, or Docker would make them root's.
RUN mkdir -p /opt/airflow/workspace /opt/airflow/csv /opt/airflow/secrets /opt/airflow/logs

ENV AIRFLOW__CORE__LOAD_EXAMPLES=False \
    SONG2VEC_WORKSPACE=/opt/airflow/workspace \
    SONG2VEC_COLLECT__FOLDER=/opt/airflow/csv

USER airflow
