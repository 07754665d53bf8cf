"""The only door to MLflow."""

import os
from typing import final

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from cassl_worker.tracking import Point, TrackedRun, flattened

DEFAULT_EXPERIMENT = "cassl"
RUN_ID, CONFIG_HASH, SEQUENCE = "cassl.run_id", "cassl.config_hash", "cassl.sequence"
# Limits of MLflow's interface.
MOST_PARAMS, LONGEST_PARAM = 100, 6000
STATUS = {"SUCCEEDED": "FINISHED", "FAILED": "FAILED", "CANCELLED": "KILLED"}


@final
class MlflowTracker:
    """A run of MLflow, found again by its tags."""

    def __init__(self, client: MlflowClient, run_id: str, url: str, last_sequence: int) -> None:
        self.client = client
        self.run_id = run_id
        self.url = url
        self.last_sequence = last_sequence

    def log(self, points: list[Point]) -> None:
        metrics = [
            Metric(f"{point.scope}/{name}", value, int(1000 * point.seconds), point.iteration)
            for point in points
            for name, value in point.metrics.items()
        ]
        self.last_sequence = points[-1].sequence
        # In one request, the mark last: where the store breaks off between them, the batch comes once more.
        self.client.log_batch(self.run_id, metrics=metrics, tags=[RunTag(SEQUENCE, str(self.last_sequence))])

    def close(self, state: str | None) -> None:
        if state is not None:
            self.client.set_terminated(self.run_id, status=STATUS[state])


def open_run(target: str, run: TrackedRun) -> MlflowTracker:
    """target: URI of a tracking server or store. The experiment is that of $MLFLOW_EXPERIMENT_NAME, else `cassl`."""
    client = MlflowClient(tracking_uri=target)
    experiment = experiment_id(client, os.environ.get("MLFLOW_EXPERIMENT_NAME", DEFAULT_EXPERIMENT))
    wanted = f"tags.`{RUN_ID}` = '{run['run_id']}' and tags.`{CONFIG_HASH}` = '{run['config_hash']}'"
    found = client.search_runs([experiment], filter_string=wanted, max_results=1)
    run_id = found[0].info.run_id if found else create_run(client, experiment, run)
    last_sequence = int(found[0].data.tags.get(SEQUENCE, "0")) if found else 0
    if found:
        client.update_run(run_id, status="RUNNING")
    page = f"{target.rstrip('/')}/#/experiments/{experiment}/runs/{run_id}" if target.startswith("http") else target
    return MlflowTracker(client, run_id, page, last_sequence)


def experiment_id(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)


def create_run(client: MlflowClient, experiment: str, run: TrackedRun) -> str:
    tags = {RUN_ID: run["run_id"], CONFIG_HASH: run["config_hash"]}
    run_id = str(client.create_run(experiment, run_name=run["run_id"], tags=tags).info.run_id)
    params = [Param(path, value[:LONGEST_PARAM]) for path, value in flattened(run["config"]).items()]
    for start in range(0, len(params), MOST_PARAMS):
        client.log_batch(run_id, params=params[start : start + MOST_PARAMS])
    return run_id
