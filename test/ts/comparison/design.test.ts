import assert from "node:assert/strict";
import { designRuns } from "../../../ts/comparison/design.js";
import { CasslError } from "../../../ts/core/errors.js";
import { type Config, parseConfig } from "../../../ts/pipeline/config.js";
import { totalIterations } from "../../../ts/pipeline/pipeline.js";

const config = parseConfig({
  name: "cells",
  seed: 5,
  data: {
    labeled: { annotations: "train.json", images: "train", take: 20 },
    unlabeled: { images: ["more"], rest_of_labeled: true },
    validation: { annotations: "val.json", images: "val" },
  },
});
const arms = ["supervised", "class_agnostic"] as const;

function refuses(design: Partial<Parameters<typeof designRuns>[1]>, message: RegExp, of: Config = config): void {
  assert.throws(
    () => designRuns(of, { arms, seeds: 2, percents: [], ...design }, 100),
    (error) => error instanceof CasslError && error.reason === "CONFIG_INVALID" && message.test(error.message),
  );
}

describe("designRuns", () => {
  it("has one run for each share of the labels, seed and arm, in this order", () => {
    const runs = designRuns(config, { arms, seeds: 2, percents: [10, 1] }, 300);
    assert.deepEqual(
      runs.map(({ percent, seed, arm, config }) => [percent, seed, arm, config.data.labeled.take]),
      [
        [1, 5, "supervised", 3],
        [1, 5, "class_agnostic", 3],
        [1, 6, "supervised", 3],
        [1, 6, "class_agnostic", 3],
        [10, 5, "supervised", 30],
        [10, 5, "class_agnostic", 30],
        [10, 6, "supervised", 30],
        [10, 6, "class_agnostic", 30],
      ],
    );
  });

  it("gives every run the same budget, and changes nothing but arm, seed and share", () => {
    const runs = designRuns(config, { arms, seeds: 2, percents: [] }, 0);
    assert.equal(new Set(runs.map((run) => totalIterations(run.config))).size, 1);
    for (const run of runs) {
      assert.deepEqual({ ...run.config, seed: config.seed, arms: config.arms }, config);
      assert.deepEqual([run.config.seed, run.config.arms], [run.seed, [run.arm]]);
    }
  });

  it("gives a run the same id again, and another one when anything in its configuration changes", () => {
    const ids = (of: Config): string[] =>
      designRuns(of, { arms, seeds: 2, percents: [] }, 0).map(({ run_id }) => run_id);
    assert.deepEqual(ids(config), ids(config));
    const all = [...ids(config), ...ids({ ...config, gates: { ...config.gates, min_recall: 0.2 } })];
    assert.equal(new Set(all).size, 8);
    assert.ok(all.every((id) => /^cells-(supervised|class_agnostic)-seed[56]-[0-9a-f]{8}$/.test(id)));
  });

  it("takes at least one image, and with all labels leaves none over for the unlabeled set", () => {
    const [one, , all] = designRuns(config, { arms, seeds: 1, percents: [0.1, 100] }, 50);
    assert.equal(one?.config.data.labeled.take, 1);
    assert.equal(all?.config.data.labeled.take, undefined);
    assert.equal(all?.config.data.unlabeled.rest_of_labeled, false);
  });

  it("refuses what compares nothing or cannot be drawn", () => {
    refuses({ arms: ["supervised"] }, /arms are supervised/);
    refuses({ arms: ["supervised", "supervised"] }, /arms are supervised, supervised/);
    refuses({ seeds: 0 }, /0 seeds/);
    const last = { ...config, seed: 2 ** 32 - 2 };
    assert.equal(designRuns(last, { arms, seeds: 2, percents: [] }, 0).length, 4);
    refuses({ seeds: 3 }, /3 seeds from 4294967294 on/, last);
    refuses({ percents: [0] }, /0 cannot be one/);
    refuses({ percents: [5, 101] }, /101 cannot be one/);
    refuses({ percents: [5, 5] }, /5 cannot be one/);
    const { take: _, ...labeled } = config.data.labeled;
    const split = { ...config, data: { ...config.data, labeled: { ...labeled, split_file: "s.json" } } };
    refuses({ percents: [5] }, /split_file/, split);
  });
});
