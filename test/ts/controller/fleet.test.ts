/** Many workers and many short tasks: `npm run bench -- fleet` does the same with a thousand of them. */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { TrainTask } from "../../../ts/gen/cassl/v1/task.js";
import { attachWorker, type FakeWorker } from "./fake-worker.js";
import { openWorkbench, type Workbench } from "./workbench.js";

const WORKERS = 40;
const TASKS = 1500;
const OUTSTANDING = 60;
const weights = { sha256: "a".repeat(64), size_bytes: 1 };
const task = { kind: { $case: "train", value: TrainTask.fromPartial({ detector: { family: "light" } }) } } as const;

describe("a fleet of workers", () => {
  let bench: Workbench;

  beforeEach(async () => {
    bench = await openWorkbench();
  });
  afterEach(() => bench.close());

  /** Does every task that it is given, and breaks its stream after some of them. */
  async function work(leased: string[], until: () => boolean, diesAfter: number): Promise<void> {
    const worker: FakeWorker = attachWorker(bench.address);
    for (let done = 0; !until(); done++) {
      const lease = await worker.next("lease");
      leased.push(lease.task_attempt?.task_id ?? "");
      if (done === diesAfter) {
        worker.leave();
        return work(leased, until, TASKS);
      }
      worker.succeed(lease, { $case: "train", value: { weights, iterations: 1, transplant_ledger: undefined } });
    }
  }

  it("does every task once, and again only what a worker that left had", async () => {
    const leased: string[] = [];
    const { signal } = new AbortController();
    setMaxListeners(0, signal);
    let [next, done] = [0, 0];
    const submitInTurn = async (): Promise<void> => {
      while (next < TASKS) {
        await bench.pool.tasks.submit({ taskId: `t${next++}`, task, imageRoot: "" }, () => {}, signal);
        done++;
      }
    };
    // Fewer than the attempts that a task has.
    const leavers = 2;
    for (let index = 0; index < WORKERS; index++) {
      const diesAfter = index < leavers ? 10 + index : TASKS;
      void work(leased, () => done === TASKS, diesAfter).catch(() => {});
    }
    await Promise.all(Array.from({ length: OUTSTANDING }, submitInTurn));
    assert.equal(new Set(leased).size, TASKS);
    assert.equal(leased.length, TASKS + leavers);
  });
});
