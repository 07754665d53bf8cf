"""Chooses what `cassl sweep` tries next: optuna's samplers and successive halving, behind lines of JSON.

    python -m cassl_worker.optimizer

Each line of standard input is a request, each line of standard output its reply. The first request is a Study; then

    {"ask": true}                            {"trial": 0, "values": {"solver.learning_rate": 0.002}}
    {"report": 0, "rung": 1, "value": 0.1}   {"stop": false}
    {"tell": 0, "value": 0.2}                {}; without a value the trial has failed, or was stopped

Equal requests give equal replies: a sweep that was interrupted is asked anew and finds its runs again.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypedDict, final

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

EXIT_PACKAGE_MISSING = 3


@final
class Choices(TypedDict):
    """One of so many; the value is its index."""

    choices: int


@final
class Range(TypedDict):
    """A number between two. step: 0 for any number; log: whether orders of magnitude count the same."""

    low: float
    high: float
    step: float
    log: bool
    integer: bool


class StudyRequest(TypedDict):
    """sampler: `tpe`, or `grid` for choices only. reduction: of successive halving; 1: no trial is stopped."""

    space: dict[str, Choices | Range]
    sampler: str
    seed: int
    reduction: int


def replies(requests: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """requests: a StudyRequest and what follows it. Nothing is replied to the first."""
    remaining = iter(requests)
    first = next(remaining)
    request = StudyRequest(
        space=first["space"], sampler=first["sampler"], seed=first["seed"], reduction=first["reduction"]
    )
    study = open_study(request)
    distributions = {path: distribution_of(dimension) for path, dimension in request["space"].items()}
    trials: list[Trial] = []
    for line in remaining:
        if "ask" in line:
            trials.append(study.ask(distributions))
            yield {"trial": len(trials) - 1, "values": trials[-1].params}
        elif "report" in line:
            trial = trials[line["report"]]
            # Rungs of successive halving lie at powers of the reduction factor.
            trial.report(line["value"], request["reduction"] ** line["rung"])
            yield {"stop": request["reduction"] > 1 and trial.should_prune()}
        else:
            yield tell(study, trials[line["tell"]], line.get("value"))


def open_study(request: StudyRequest) -> "Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sizes = {
        path: range(dimension["choices"]) for path, dimension in request["space"].items() if "choices" in dimension
    }
    sampler = (
        optuna.samplers.GridSampler(sizes, seed=request["seed"])
        if request["sampler"] == "grid"
        else optuna.samplers.TPESampler(seed=request["seed"])
    )
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=max(2, request["reduction"]))
    return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)


def distribution_of(dimension: Choices | Range) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if "choices" in dimension:
        return CategoricalDistribution(range(dimension["choices"]))
    low, high, log = dimension["low"], dimension["high"], dimension["log"]
    if dimension["integer"]:
        return IntDistribution(int(low), int(high), log=log, step=int(dimension["step"]) or 1)
    return FloatDistribution(low, high, log=log, step=dimension["step"] or None)


def tell(study: "Study", trial: "Trial", value: float | None) -> dict[str, Any]:
    from optuna.trial import TrialState

    # A grid whose last point is told wants to end a loop that is not there.
    with suppress(RuntimeError):
        if value is None:
            reported = bool(study.get_trials(deepcopy=False)[trial.number].intermediate_values)
            study.tell(trial, state=TrialState.PRUNED if reported else TrialState.FAIL)
        else:
            study.tell(trial, value)
    return {}


def main() -> int:
    try:
        for reply in replies(json.loads(line) for line in sys.stdin):
            print(json.dumps(reply), flush=True)
    except ImportError as error:
        print(f"{error}. Install the extra `sweep`: pip install 'cassl-worker[sweep]'.", file=sys.stderr)
        return EXIT_PACKAGE_MISSING
    return 0


if __name__ == "__main__":
    sys.exit(main())
