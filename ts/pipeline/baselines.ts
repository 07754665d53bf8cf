/** The arms that CA-SSL is compared with, each for as many iterations as its three stages have together; docs/arms.md. */
import type { CuratedData } from "../data/curate.js";
import { type FinishedArm, totalIterations, trainTargets } from "./arm.js";
import type { Config } from "./config.js";
import { type Operations, operations, type PipelineContext, type Solver } from "./operations.js";
import type { Start } from "./pretrained.js";

/** The baseline: ground truth only, for as many iterations as the three stages have together. */
export async function runSupervised(
  config: Config,
  data: CuratedData,
  start: Start,
  context: PipelineContext,
): Promise<FinishedArm> {
  const train = ({ train }: Operations) => train("finetune", data.labeled, wholeSolver(config), { init: start });
  return { gates: [], arms: await trainTargets("supervised", train, config, data, context) };
}

/** The baseline without any task: what stages 1 and 2 may spend goes into features of the unlabeled images. */
export async function runSelfSupervised(
  config: Config,
  data: CuratedData,
  start: Start,
  context: PipelineContext,
): Promise<FinishedArm> {
  const { min_view_area, ...changes } = config.baselines.self_supervised;
  const { finetune } = config.stages;
  const { pretrain } = operations("self_supervised", config, data, context);
  const { weights } = await pretrain({ ...pretrainingSolver(config), ...changes }, min_view_area, start);
  // What weights that the run was given have beside the backbone is as good as before.
  const carry = start?.carry ?? ["backbone"];
  const init = { weights: weights.sha256, carry, class_predictor: "reinitialize" };
  const fineTune = ({ train }: Operations) => train("finetune", data.labeled, finetune.solver, { init });
  return { gates: [], arms: await trainTargets("self_supervised", fineTune, config, data, context) };
}

function pretrainingSolver(config: Config): Solver {
  const { warmup, finetune } = config.stages;
  const iterations = totalIterations(config) - finetune.solver.iterations;
  // The views of an image belong into one part, and show as much of it in any size.
  const augmentation = { ...warmup.solver.augmentation, multi_scale: 0 };
  return { ...warmup.solver, iterations, augmentation, gradient_accumulation: 1, backbone_pull: 0 };
}

/** The baseline of joint training: the only place where ground truth and pseudo labels are learned in one batch. */
export async function runMeanTeacher(
  config: Config,
  data: CuratedData,
  start: Start,
  context: PipelineContext,
): Promise<FinishedArm> {
  const train = ({ trainMeanTeacher }: Operations) => trainMeanTeacher(wholeSolver(config), start);
  return { gates: [], arms: await trainTargets("mean_teacher", train, config, data, context) };
}

/** The fine-tune's solver with all that an arm may spend. */
function wholeSolver(config: Config): Solver {
  return { ...config.stages.finetune.solver, iterations: totalIterations(config) };
}
