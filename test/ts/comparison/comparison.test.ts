import assert from "node:assert/strict";
import { compareTrials, spreadOf } from "../../../ts/comparison/comparison.js";
import { designRuns } from "../../../ts/comparison/design.js";
import type { Comparison, Trial } from "../../../ts/comparison/results.js";
import { type FinishedRun, requireSameData } from "../../../ts/comparison/trials.js";
import { CasslError } from "../../../ts/core/errors.js";
import { seededRandom } from "../../../ts/core/random.js";
import { type Arm, parseConfig } from "../../../ts/pipeline/config.js";
import { exampleResult } from "../report/example.js";

const config = parseConfig({
  name: "cells",
  data: {
    labeled: { annotations: "train.json", images: "train", take: 20 },
    unlabeled: { images: ["more"] },
    validation: { annotations: "val.json", images: "val" },
  },
});
const RESAMPLES = 200;
const bootstrap = { resamples: RESAMPLES, seed: 1, confidence: 0.95 };

/** A trial for each seed with AP around `ap`; luck with the images moves all arms alike. */
function trials(aps: Partial<Record<Arm, number>>, seeds: number, percents: readonly number[] = []): Trial[] {
  const [template] = exampleResult.arms;
  const runs = designRuns(config, { arms: Object.keys(aps) as Arm[], seeds, percents }, 100);
  return runs.map((run) => {
    const images = seededRandom(3);
    const ap = (aps[run.arm] ?? 0) + 0.004 * (run.seed - 1);
    const samples = Float64Array.from({ length: RESAMPLES }, () => ap + 0.1 * (images() - 0.5));
    const result = { ...template, arm: run.arm, seed: run.seed, ap, labeled_images: run.percent ?? 20 };
    return { run, result, seconds: 10, resampled: { ap, samples }, oracle_class_ap: 0.6 } as Trial;
  });
}

const compare = (found: readonly Trial[], images = 100): Comparison =>
  compareTrials(found, [], { validation_images: images, bootstrap });
const verdictsOf = ({ groups }: Comparison): string[] =>
  groups.flatMap(({ differences }) => differences.map(({ verdict }) => verdict));

describe("compareTrials", () => {
  it("compares every arm with supervised, and CA-SSL with its class-specific twin", () => {
    const { groups } = compare(trials({ class_agnostic: 0.45, class_specific: 0.43, supervised: 0.4 }, 3));
    assert.deepEqual(
      groups[0]?.differences.map(({ arm, baseline }) => [arm, baseline]),
      [
        ["class_agnostic", "supervised"],
        ["class_specific", "supervised"],
        ["class_agnostic", "class_specific"],
      ],
    );
  });

  it("says helps, hurts or no evidence by the interval", () => {
    const of = (ap: number): string[] => verdictsOf(compare(trials({ supervised: 0.4, class_agnostic: ap }, 3)));
    assert.deepEqual(of(0.431), ["class_agnostic helps by 3.1 AP over supervised, 95 % interval 3.1 to 3.1, 3 seeds."]);
    assert.deepEqual(of(0.38), [
      "class_agnostic hurts by 2.0 AP against supervised, 95 % interval -2.0 to -2.0, 3 seeds.",
    ]);
    assert.match(of(0.4)[0] ?? "", /^No evidence that class_agnostic helps over supervised: 0.0 AP/);
  });

  it("gives no verdict from one seed, and says so", () => {
    const comparison = compare(trials({ supervised: 0.4, class_agnostic: 0.5 }, 1));
    assert.match(verdictsOf(comparison)[0] ?? "", /10\.0 AP above supervised.*, 1 seed: no verdict from one seed/);
    assert.match(comparison.notes.join(), /One seed/);
  });

  it("has an interval that holds the spread over seeds", () => {
    const found = trials({ supervised: 0.4, class_agnostic: 0.42 }, 3).map((trial) => {
      if (trial.run.arm === "supervised") return trial;
      const shift = 0.05 * (trial.run.seed - 1);
      const { ap, samples } = trial.resampled;
      return { ...trial, resampled: { ap: ap + shift, samples: samples.map((value) => value + shift) } };
    });
    const [difference] = compare(found).groups[0]?.differences ?? [];
    assert.ok((difference?.interval[0] ?? 1) < 0 && (difference?.interval[1] ?? 0) > 0.05);
    assert.deepEqual(
      difference?.difference.values.map((value) => Math.round(1000 * value)),
      [-30, 20, 70],
    );
  });

  it("compares shares of the labels each on their own", () => {
    const { groups } = compare(trials({ supervised: 0.4, class_agnostic: 0.5 }, 2, [1, 10]));
    assert.deepEqual(
      groups.map(({ percent, arms }) => [percent, arms.map(({ seeds }) => seeds.length)]),
      [
        [1, [2, 2]],
        [10, [2, 2]],
      ],
    );
  });

  it("compares the seeds that both arms have, and names the runs that a gate stopped", () => {
    const all = trials({ supervised: 0.4, class_agnostic: 0.5 }, 3);
    const lost = all.at(-1) as Trial;
    const stopped = [{ run: lost.run, message: "The pseudo-labeler is too weak." }];
    const { groups, notes } = compareTrials(all.slice(0, -1), stopped, { validation_images: 100, bootstrap });
    assert.deepEqual(groups[0]?.differences[0]?.seeds, [0, 1]);
    assert.match(notes.join(), /class_agnostic, seed 2 was stopped by a gate.*too weak/);
  });

  it("says nothing of arms that have no seed in common", () => {
    const [one, , , other] = trials({ supervised: 0.4, class_agnostic: 0.5 }, 2);
    assert.deepEqual([one?.run.arm, other?.run.arm], ["supervised", "class_agnostic"]);
    assert.deepEqual(compare([one, other] as Trial[]).groups[0]?.differences, []);
  });

  it("warns of a small validation set", () => {
    assert.match(compare(trials({ supervised: 0.4, class_agnostic: 0.5 }, 3), 12).notes.join(), /12 images only/);
    assert.deepEqual(compare(trials({ supervised: 0.4, class_agnostic: 0.5 }, 3), 30).notes, []);
  });
});

describe("spreadOf", () => {
  it("has mean and sample standard deviation, which one value has not", () => {
    assert.deepEqual(spreadOf([1, 3]), { mean: 2, standard_deviation: Math.SQRT2, values: [1, 3] });
    assert.deepEqual(spreadOf([0.5]), { mean: 0.5, values: [0.5] });
  });
});

describe("requireSameData", () => {
  const runs = designRuns(config, { arms: ["supervised", "class_agnostic"], seeds: 2, percents: [] }, 0);
  const finished = (change: Partial<Record<"labeled" | "validation", string>>, changed: number): FinishedRun[] =>
    runs.map((run, n) => {
      const artifact = (of: "labeled" | "validation", else_: string) => ({
        sha256: (n === changed ? change[of] : undefined) ?? else_,
        size_bytes: 1,
      });
      const labeled = artifact("labeled", `seed ${run.seed}`);
      return {
        run,
        result: { ...exampleResult, data: { labeled, unlabeled: labeled, validation: artifact("validation", "v") } },
      };
    });

  it("takes runs whose labeled images differ by seed alone", () => {
    requireSameData(finished({}, -1));
  });

  it("refuses a run with other labeled images than another of its seed, or another validation set", () => {
    for (const change of [{ labeled: "other" }, { validation: "other" }]) {
      assert.throws(
        () => requireSameData(finished(change, 3)),
        (error) => error instanceof CasslError && error.reason === "CONFIG_INVALID" && /-seed1-/.test(error.message),
      );
    }
  });
});
