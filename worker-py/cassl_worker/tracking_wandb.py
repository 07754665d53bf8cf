"""The only door to Weights & Biases."""

from pathlib import Path
from typing import final

import wandb

from cassl_worker.tracking import Point, TrackedRun

SEQUENCE = "cassl_sequence"


@final
class WandbTracker:
    """A run of Weights & Biases, which has the same id whenever it is opened."""

    def __init__(self, run: "wandb.Run") -> None:
        self.run = run
        self.url = str(run.dir if run.offline else run.url)
        self.scopes: set[str] = set()
        # Offline nothing is known of the run's earlier parts but what is noted here.
        self.offline_note = Path(run.settings.wandb_dir) / f"{run.id}.sequence" if run.offline else None
        self.last_sequence = self.noted_sequence()

    def noted_sequence(self) -> int:
        if self.offline_note is None:
            return int(self.run.summary.get(SEQUENCE) or 0) if self.run.resumed else 0
        return int(self.offline_note.read_text()) if self.offline_note.exists() else 0

    def log(self, points: list[Point]) -> None:
        for point in points:
            self.define(point.scope)
            metrics = {f"{point.scope}/{name}": value for name, value in point.metrics.items()}
            self.run.log({**metrics, f"{point.scope}/iteration": point.iteration, SEQUENCE: point.sequence})
        self.last_sequence = points[-1].sequence
        if self.offline_note is not None:
            self.offline_note.write_text(str(self.last_sequence))

    def define(self, scope: str) -> None:
        """Curves of a training run over its own iterations."""
        if scope in self.scopes:
            return
        self.scopes.add(scope)
        self.run.define_metric(f"{scope}/iteration", hidden=True)
        self.run.define_metric(f"{scope}/*", step_metric=f"{scope}/iteration")

    def close(self, state: str | None) -> None:
        if state is None:
            # Shown as preempted, not as finished.
            self.run.mark_preempting()
        self.run.finish(exit_code=0 if state == "SUCCEEDED" else 1)


def settings() -> wandb.Settings:
    """Nothing of this process is of interest: neither its output nor its load, its packages or its machine."""
    return wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )


def open_run(target: str, run: TrackedRun) -> WandbTracker:
    """target: PROJECT or ENTITY/PROJECT. The key is that of $WANDB_API_KEY, or of `wandb login`."""
    entity, _, project = target.rpartition("/")
    opened = wandb.init(
        project=project,
        entity=entity or None,
        id=f"{run['run_id']}-{run['config_hash'][:8]}",
        name=run["run_id"],
        config=run["config"],
        resume="allow",
        settings=settings(),
    )
    return WandbTracker(opened)
