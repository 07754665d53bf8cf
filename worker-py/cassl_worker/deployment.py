"""An exported model with the choice of detections inside, for runtimes that have no code of cassl.

python -m cassl_worker.deployment model.onnx deployed.onnx

The input stays `images`, (N, H, W, 3) uint8 RGB, letterboxed. The outputs have the names and the layout that TensorRT's
EfficientNMS made common, D being `max_detections`:

    num_dets     (N, 1) int32
    det_boxes    (N, D, 4) float32, xyxy, px of the input, best first; 0 from num_dets on
    det_scores   (N, D) float32
    det_classes  (N, D) int32, class indices

It chooses as cassl does, with the settings of the model's metadata. Boxes are neither clipped nor scaled to the image.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import compose, parser

from cassl_worker.checkpoint import replacing
from cassl_worker.errors import CasslError
from cassl_worker.export import METADATA_KEY

DEPLOYED_KEY = "cassl_deployment"
"""Of the metadata: what the exported model says of its input, classes and choice."""
CHOICE_PREFIX = "choice/"
ANY_SCORE = -0.5
"""A threshold below every score, and above the -1 that stands for none."""
OUTPUTS = {CHOICE_PREFIX + name: name for name in ("num_dets", "det_boxes", "det_scores", "det_classes")}
CHOICE = """
<ir_version: {ir_version}, opset_import: ["": {opset}]>
choice (float[batch, {locations}, 4] boxes, float[batch, {locations}, {classes}] scores) =>
  (int32[batch, 1] num_dets, float[batch, {kept}, 4] det_boxes, float[batch, {kept}] det_scores,
   int32[batch, {kept}] det_classes)
{{
  one = Constant<value_ints = [1]>()
  last = Constant<value_ints = [-1]>()
  flat_shape = Constant<value_ints = [0, -1]>()
  class_count = Constant<value_ints = [{classes}]>()
  candidate_count = Constant<value_ints = [{candidates}]>()
  kept_count = Constant<value_ints = [{kept}]>()
  zero = Constant<value_float = 0.0>()
  none = Constant<value_float = -1.0>()

  flat = Reshape(scores, flat_shape)
  best, order = TopK<axis = 1>(flat, candidate_count)
  location = Div(order, class_count)
  location_index = Unsqueeze(location, last)
  candidates = GatherND<batch_dims = 1>(boxes, location_index)
  class_index = Mod(order, class_count)

  class_numbers = Constant<value_ints = [{class_numbers}]>()
  class_column = Unsqueeze(class_numbers, last)
  class_row = Unsqueeze(class_index, one)
  is_of_class = Equal(class_row, class_column)
  best_row = Unsqueeze(best, one)
  score_by_class = Where(is_of_class, best_row, none)
  iou = Constant<value_floats = [{nms_iou}]>()
  threshold = Constant<value_floats = [{threshold}]>()
  chosen = NonMaxSuppression(candidates, score_by_class, candidate_count, iou, threshold)

  columns = Constant<value_ints = [0, 2]>()
  places = Gather<axis = 1>(chosen, columns)
  chosen_scores = GatherND(best, places)
  nothing = Mul(best, zero)
  not_chosen = Add(nothing, none)
  left = ScatterND(not_chosen, places, chosen_scores)
  sorted, rank = TopK<axis = 1>(left, kept_count)

  is_there = GreaterOrEqual(sorted, zero)
  there = Cast<to = 1>(is_there)
  counted = Cast<to = 6>(is_there)
  num_dets = ReduceSum(counted, one)
  det_scores = Max(sorted, zero)
  rank_index = Unsqueeze(rank, last)
  sorted_boxes = GatherND<batch_dims = 1>(candidates, rank_index)
  there_column = Unsqueeze(there, last)
  det_boxes = Mul(sorted_boxes, there_column)
  sorted_classes = GatherElements<axis = 1>(class_index, rank)
  det_classes = Cast<to = 6>(sorted_classes)
}}
"""


def with_choice(model: onnx.ModelProto) -> onnx.ModelProto:
    """MODEL_INVALID if cassl did not export it, or if it gives masks."""
    described = metadata_of(model)
    if "masks" in described:
        raise invalid("the model gives masks, which are chosen outside of it")
    locations = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    classes, predict = len(described["categories"]), described["predict"]
    candidates = min(predict["max_candidates"], locations * classes)
    text = CHOICE.format(
        ir_version=model.ir_version,
        opset=next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx")),
        locations=locations,
        classes=classes,
        class_numbers=", ".join(map(str, range(classes))),
        candidates=candidates,
        kept=min(predict["max_detections"], candidates),
        nms_iou=float(np.float32(predict["nms_iou"])),
        threshold=just_below(predict["score_threshold"]),
    )
    deployed = compose.merge_models(
        model,
        parser.parse_model(text),
        io_map=[("boxes", "boxes"), ("scores", "scores")],
        prefix2=CHOICE_PREFIX,
    )
    for node in deployed.graph.node:
        for at, name in enumerate(node.output):
            node.output[at] = OUTPUTS.get(name, name)
    for output in deployed.graph.output:
        output.name = OUTPUTS[output.name]
    del deployed.metadata_props[:]
    deployed.metadata_props.add(key=DEPLOYED_KEY, value=json.dumps(described))
    onnx.checker.check_model(deployed)
    return deployed


def just_below(score: float) -> float:
    """The operator keeps scores above its threshold, cassl also those that are equal to it."""
    return float(np.nextafter(np.float32(score), np.float32(0))) if score > 0 else ANY_SCORE


def metadata_of(model: onnx.ModelProto) -> dict[str, Any]:
    texts = [item.value for item in model.metadata_props if item.key == METADATA_KEY]
    if not texts:
        raise invalid(f"there is no metadata property `{METADATA_KEY}` in the file")
    described: dict[str, Any] = json.loads(texts[0])
    return described


def invalid(why: str) -> CasslError:
    return CasslError("MODEL_INVALID", f"The choice of detections cannot be added: {why}.", "Give a model of cassl.")


def main() -> None:
    parser_of_arguments = argparse.ArgumentParser(description="Adds the choice of detections to an exported model.")
    parser_of_arguments.add_argument("model", type=Path, help="ONNX file that cassl exported")
    parser_of_arguments.add_argument("out", type=Path, help="ONNX file to write")
    arguments = parser_of_arguments.parse_args()
    try:
        deployed = with_choice(load(arguments.model))
        with replacing(arguments.out) as partial:
            onnx.save(deployed, partial)
    except CasslError as error:
        sys.exit(f"error: {error.message} {error.remedy}")
    print(f"{', '.join(output.name for output in deployed.graph.output)}: {arguments.out}")


def load(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except Exception as error:  # Of the file system, or of protobuf.
        raise invalid(f"{path} cannot be read as ONNX: {error}") from error


if __name__ == "__main__":
    main()
