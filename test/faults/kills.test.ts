/**
 * `kill -9` of workers, of the controller and of both, at random moments of whole runs. Whatever happens, a run ends with
 * the result of one that was left alone. CASSL_FAULT_KILLS says how many kills (`npm run test:faults`: 200),
 * CASSL_FAULT_SEED where the random numbers start.
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { seededRandom } from "../../ts/core/random.js";
import type { RunConfig } from "../../ts/gen/cassl/v1/run.js";
import type { RunResult } from "../../ts/pipeline/pipeline.js";
import type { Running } from "../integration/project.js";
import { assertArtifactsWhole, assertLedgersBalance, type Lab, openLab, pause, UNLABELED } from "./lab.js";

const KILLS = Number(process.env["CASSL_FAULT_KILLS"] ?? 10);
const SEED = Number(process.env["CASSL_FAULT_SEED"] ?? 1);
const WORKERS = 2;
const MAX_KILLS_A_RUN = 12;
const SLOW = { TORCHLESS_MS: "40" };

/** What a run came to: the keys of its steps hold the hashes of all that went into them; that of curation also paths. */
function essence({ arms, steps }: RunResult) {
  return { arms, keys: steps.filter(({ name }) => name !== "curate").map(({ key }) => key) };
}

async function undisturbed(config: RunConfig): Promise<RunResult> {
  const lab = await openLab(config);
  try {
    await lab.serve();
    for (let worker = 0; worker < WORKERS; worker++) lab.startWorker({ env: { TORCHLESS_MS: "0" } });
    await lab.client.createRun("quiet", lab.config);
    return await lab.resultOf(await lab.outcome("quiet"));
  } finally {
    await lab.close();
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Kills at random until the run has ended or enough is enough. Returns the number of kills. */
async function harass(lab: Lab, random: () => number, most: number): Promise<number> {
  let controller: Running = await lab.serve();
  const workers = Array.from({ length: WORKERS }, () => lab.startWorker({ env: SLOW }));
  await lab.client.createRun("harassed", lab.config);
  let ended = false;
  const outcome = lab.outcome("harassed").finally(() => {
    ended = true;
  });
  let kills = 0;
  while (kills < most) {
    await Promise.race([outcome, pause(200 + 1300 * random())]);
    if (ended) break;
    const victim = random();
    const [hitsController, hitsWorker] = [victim < 0.35, victim > 0.25];
    const place = Math.floor(random() * WORKERS);
    const worker = workers[place] as ChildProcess;
    await Promise.all([...(hitsController ? [kill(controller.child)] : []), ...(hitsWorker ? [kill(worker)] : [])]);
    kills += Number(hitsController) + Number(hitsWorker);
    if (hitsController) controller = await lab.serve();
    if (hitsWorker) workers[place] = lab.startWorker({ env: SLOW });
  }
  await outcome;
  return kills;
}

describe("kill -9 at random moments", function () {
  this.timeout(120_000 + KILLS * 10_000);

  it(`costs work, never a label: ${KILLS} kills`, async () => {
    const random = seededRandom(SEED);
    for (let [kills, round] = [0, 0]; kills < KILLS; round++) {
      const lab = await openLab();
      try {
        const config = { ...lab.config, seed: SEED * 1000 + round };
        const expected = essence(await undisturbed(config));
        kills += await harass({ ...lab, config }, random, Math.min(MAX_KILLS_A_RUN, KILLS - kills));
        assert.deepEqual(essence(await lab.resultOf(await lab.client.getRun("harassed"))), expected);
        await assertLedgersBalance(lab, "harassed", UNLABELED);
        await assertArtifactsWhole(lab.workspace);
      } finally {
        await lab.close();
      }
      console.log(`      ${kills} of ${KILLS} kills, ${round + 1} runs`);
    }
  });
});
