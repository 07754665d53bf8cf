/** The rules of cassl.yaml on what changes training images. */
import { augmentation, type Config } from "./config-schema.js";
import { invalid } from "./describe-issue.js";
import { CONFIGURED_FAMILIES, type Detector, type Family, givesMasks } from "./detector-schema.js";

type Stage = keyof Config["stages"];

/** CONFIG_INVALID where a stage trains a family that its augmentation cannot be used for. */
export function checkAugmentation(config: Config): void {
  const stages = Object.entries(trainedFamilies(config)) as [Stage, readonly Family[]][];
  for (const [stage, families] of stages) {
    checkCopyPaste(config, stage, families);
    checkMapper(config, stage, families);
  }
  checkMapperOverrides(config);
}

function trainedFamilies({ detector, pseudo_labeler, targets }: Config): Readonly<Record<Stage, readonly Family[]>> {
  return {
    pseudo_label: [pseudo_labeler?.family ?? detector.family],
    warmup: [detector.family],
    finetune: targets.length > 0 ? targets : [detector.family],
  };
}

/** Copy-paste needs masks of the objects, which only detectors that learn masks are given. */
function checkCopyPaste({ stages }: Config, stage: Stage, families: readonly Family[]): void {
  const { copy_paste } = stages[stage].solver.augmentation;
  const family = families.find((one) => !givesMasks(one));
  if (copy_paste === 0 || family === undefined) return;
  throw invalid(
    `\`stages.${stage}.solver.augmentation.copy_paste\` must be 0 for the detector family \`${family}\`, which learns no masks`,
    copy_paste,
  );
}

/** detectron2's data mapper is part of a configuration of detectron2, and brings its own augmentations. */
function checkMapper({ arms, stages }: Config, stage: Stage, families: readonly Family[]): void {
  const path = `stages.${stage}.solver.augmentation`;
  const { detectron2_mapper, ...others } = stages[stage].solver.augmentation;
  if (detectron2_mapper !== true) return;
  const family = families.find((one) => !CONFIGURED_FAMILIES.includes(one));
  if (family !== undefined) {
    const fault = `must be false for the detector family \`${family}\`, which no configuration of detectron2 describes`;
    throw invalid(`\`${path}.detectron2_mapper\` ${fault}`, detectron2_mapper);
  }
  if (stage === "finetune" && arms.includes("mean_teacher")) {
    const fault = "must be false for the arm mean_teacher, whose images cassl changes";
    throw invalid(`\`${path}.detectron2_mapper\` ${fault}`, detectron2_mapper);
  }
  const usual = Object.entries(augmentation.parse({}));
  const changed = usual.find(([name, value]) => others[name as keyof typeof others] !== value)?.[0];
  if (changed === undefined) return;
  const fault = "must be left out beside `detectron2_mapper`, which has augmentations of its own";
  throw invalid(`\`${path}.${changed}\` ${fault}`, others[changed as keyof typeof others]);
}

/** What is overridden of a mapper that no stage uses would be ignored. */
function checkMapperOverrides({ detector, pseudo_labeler, stages }: Config): void {
  const isMapped = (names: readonly Stage[]): boolean =>
    names.some((name) => stages[name].solver.augmentation.detectron2_mapper === true);
  const check = (path: string, { detectron2 }: Detector, names: readonly Stage[]): void => {
    const override = detectron2?.overrides.find((one) => !/^model\./i.test(one));
    if (override === undefined || isMapped(names)) return;
    throw invalid(
      `\`${path}.detectron2.overrides\` must be of the model where no stage has \`augmentation.detectron2_mapper\``,
      override,
    );
  };
  check(
    "detector",
    detector,
    pseudo_labeler === undefined ? ["pseudo_label", "warmup", "finetune"] : ["warmup", "finetune"],
  );
  if (pseudo_labeler !== undefined) check("pseudo_labeler", pseudo_labeler, ["pseudo_label"]);
}
