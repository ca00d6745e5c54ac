"""What Airflow calls the machine of a task: in the cluster of the tests, the service that runs it."""

import os


def read_service_name() -> str:
    return os.environ["SERVICE_NAME"]
