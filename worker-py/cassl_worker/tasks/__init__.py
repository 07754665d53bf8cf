"""From leases to the torch side and back: fetches what a task needs, does it, stores what it leaves.

torch is imported by the functions, because loading it takes seconds that an idle worker need not spend.
"""

from cassl.v1.task_pb2 import ExportOutput, ExportTask, TaskOutput

from cassl_worker.errors import CasslError
from cassl_worker.tasks.context import TaskContext, fetch_dataset
from cassl_worker.tasks.labelling import run_predict
from cassl_worker.tasks.training import run_training


def run_task(context: TaskContext) -> TaskOutput:
    task = context.lease.task
    match task.WhichOneof("kind"):
        case "train" | "pretrain" | "mean_teacher":
            return TaskOutput(train=run_training(context))
        case "predict":
            return TaskOutput(predict=run_predict(task.predict, context))
        case "export":
            return TaskOutput(export=run_export(task.export, context))
        case _:
            raise CasslError(
                "VERSION_MISMATCH",
                f"Task {context.lease.task_attempt.task_id} is of no kind that this worker knows.",
                "Install the same version of cassl on both sides.",
            )


def run_export(task: ExportTask, context: TaskContext) -> ExportOutput:
    from cassl_worker.export import export_onnx

    dataset = fetch_dataset(task.dataset, context)
    weights = context.artifacts.fetch(task.weights)
    out = context.scratch / "model.onnx"
    export_onnx(task, dataset.categories, weights=weights, out=out)
    return ExportOutput(onnx=context.artifacts.store(out))
