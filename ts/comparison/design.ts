/** Which runs answer whether an arm helps: one for each arm, seed and share of the labels, equal in all else. Pure. */
import { CasslError } from "../core/errors.js";
import type { Arm, Config } from "../pipeline/config.js";
import { configHash } from "../pipeline/pipeline.js";

export interface ComparisonDesign {
  readonly arms: readonly Arm[];
  /** How many: the configuration's seed and those that follow it. A seed decides which images are labeled, too. */
  readonly seeds: number;
  /** Of the labeled images, in per cent, each in (0, 100]. Empty: as the configuration has it. */
  readonly percents: readonly number[];
}

export interface DesignedRun {
  readonly run_id: string;
  readonly arm: Arm;
  readonly seed: number;
  /** Of the labeled images; undefined: as the configuration has it. */
  readonly percent: number | undefined;
  readonly config: Config;
}

const MOST_NAME_LENGTH = 48;

/**
 * By share of the labels, then seed, then arm. The id of a run follows from its configuration, so that a comparison which was
 * interrupted finds its runs again. CONFIG_INVALID for a design that compares nothing or that the configuration cannot follow.
 *
 * @param labeledImages how many images the labeled set lists; read with `percents` only.
 */
export function designRuns(config: Config, design: ComparisonDesign, labeledImages: number): DesignedRun[] {
  checkDesign(config, design);
  const { arms, percents } = design;
  const shares = percents.length === 0 ? [undefined] : [...percents].sort((a, b) => a - b);
  const seeds = Array.from({ length: design.seeds }, (_, index) => config.seed + index);
  return shares.flatMap((percent) =>
    seeds.flatMap((seed) => {
      const seeded = { ...withShare(config, percent, labeledImages), seed };
      return arms.map((arm) => designedRun({ ...seeded, arms: [arm] }, arm, percent));
    }),
  );
}

function designedRun(config: Config, arm: Arm, percent: number | undefined): DesignedRun {
  const share = percent === undefined ? "" : `-${percent}pc`;
  const name = `${config.name.slice(0, MOST_NAME_LENGTH)}${share}-${arm}-seed${config.seed}`;
  return { run_id: `${name}-${configHash(config).slice(0, 8)}`, arm, seed: config.seed, percent, config };
}

/** The images that are not taken join the unlabeled ones only where the configuration has it so. */
function withShare(config: Config, percent: number | undefined, labeledImages: number): Config {
  if (percent === undefined) return config;
  const { labeled, unlabeled } = config.data;
  const { take: _, ...all } = labeled;
  if (percent === 100) {
    return { ...config, data: { ...config.data, labeled: all, unlabeled: { ...unlabeled, rest_of_labeled: false } } };
  }
  const take = Math.max(1, Math.round((percent / 100) * labeledImages));
  return { ...config, data: { ...config.data, labeled: { ...all, take } } };
}

function checkDesign({ data, seed }: Config, { arms, seeds, percents }: ComparisonDesign): void {
  if (arms.length < 2 || new Set(arms).size < arms.length) {
    throw invalid(`The arms are ${arms.join(", ") || "none"}.`, "Name two arms or more, each once.");
  }
  if (!Number.isInteger(seeds) || seeds < 1 || seed + seeds > 2 ** 32) {
    throw invalid(`${seeds} seeds from ${seed} on are asked for.`, "Ask for 1 or more; the last must be below 2^32.");
  }
  const wrong = percents.find((percent, n) => !(percent > 0 && percent <= 100) || percents.indexOf(percent) < n);
  if (wrong !== undefined) {
    throw invalid(
      `The shares of the labels are ${percents.join(", ")} per cent; ${wrong} cannot be one of them.`,
      "Give different numbers above 0 and up to 100.",
    );
  }
  if (percents.length > 0 && data.labeled.split_file !== undefined) {
    throw invalid(
      "`data.labeled.split_file` says which images are labeled, so there are no shares to draw.",
      "Leave out the split file or the shares.",
    );
  }
}

function invalid(message: string, remedy: string): CasslError {
  return new CasslError("CONFIG_INVALID", message, remedy);
}
