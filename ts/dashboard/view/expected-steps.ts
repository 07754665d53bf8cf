/** Which steps a run will have, before it has come to them; ts/pipeline/pipeline.ts is what decides. */

/** Of a RunConfig. */
export interface StepsConfig {
  readonly arms: readonly string[];
  readonly targets: readonly string[];
  readonly detector: { readonly family: string };
  readonly stages: { readonly warmup: { readonly rounds: number } };
}

export interface Lane {
  /** An arm, or empty for what all arms share. */
  readonly arm: string;
  /** Names of steps with their scope. */
  readonly steps: readonly string[];
}

const LABELING = ["predict_held_out", "choose_threshold", "predict", "select", "warmup"];

export function expectedSteps(config: StepsConfig): Lane[] {
  const shared = { arm: "", steps: config.arms.some(isLabeling) ? ["curate", "hold_out"] : ["curate"] };
  return [shared, ...config.arms.map((arm) => ({ arm, steps: stepsOf(arm, config) }))];
}

function stepsOf(arm: string, { targets, stages: { warmup } }: StepsConfig): string[] {
  const training = arm === "mean_teacher" ? "mean_teacher" : "finetune";
  const last = (targets.length > 1 ? targets.map((target) => `${arm}/${target}`) : [arm]).flatMap((scope) =>
    [training, "export", "evaluate"].map((name) => `${scope}/${name}`),
  );
  if (arm === "self_supervised") return [`${arm}/pretrain`, ...last];
  if (!isLabeling(arm)) return last;
  const rounds = Array.from({ length: warmup.rounds }, (_, round) => (round === 0 ? arm : `${arm}/round_${round + 1}`));
  const labeling = rounds.flatMap((scope) => LABELING.map((name) => `${scope}/${name}`));
  return [`${arm}/pseudo_labeler`, ...labeling, ...last];
}

function isLabeling(arm: string): boolean {
  return arm === "class_agnostic" || arm === "class_specific";
}

/** The expected steps of each lane, and where they are known those that came in addition; without those that did not come. */
export function lanesWith(config: StepsConfig, steps: Iterable<string>, hasEnded: boolean): Lane[] {
  const lanes = expectedSteps(config);
  const known = [...steps];
  return lanes.map(({ arm, steps: expected }) => {
    const own = known.filter((step) => (arm === "" ? !step.includes("/") : step.startsWith(`${arm}/`)));
    const missing = expected.filter((step) => !own.includes(step));
    const isBefore = (step: string): boolean =>
      expected.slice(expected.indexOf(step)).some((later) => own.includes(later));
    return { arm, steps: hasEnded ? own : [...own, ...missing.filter((step) => !isBefore(step))] };
  });
}
