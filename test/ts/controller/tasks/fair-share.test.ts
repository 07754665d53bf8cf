import assert from "node:assert/strict";
import { createExecution, type Execution } from "../../../../ts/controller/tasks/execution.js";
import { createFairShare } from "../../../../ts/controller/tasks/fair-share.js";
import { needsOf } from "../../../../ts/controller/tasks/needs.js";
import type { RunShare } from "../../../../ts/pipeline/steps-under-way.js";

const task = { kind: undefined };

function execution(taskId: string, ...runs: RunShare[]): Execution {
  const made = createExecution({ taskId, task, imageRoot: "" }, needsOf(task), undefined);
  made.requesters.add({ listen: () => {}, beneficiaries: new Set(runs.map((run) => ({ run, step: "train" }))) });
  return made;
}

function lend({ leases, taskId }: Execution, workers: number): void {
  for (let attempt = 1; attempt <= workers; attempt++) {
    const held = { shards: [], workerId: `${attempt}`, pid: undefined, since: 0, cancel: () => {} };
    leases.set(attempt, { ...held, attempt: { task_id: taskId, attempt } });
  }
}

describe("fair share", () => {
  const [a, b, c]: RunShare[] = ["a", "b", "c"].map((runId) => ({ runId, priority: 0 })) as [
    RunShare,
    RunShare,
    RunShare,
  ];
  const urgent: RunShare = { runId: "urgent", priority: 1 };
  const order = (share: ReturnType<typeof createFairShare>, all: readonly Execution[]): string[] =>
    share.inOrder(all, all).map(({ taskId }) => taskId);

  it("is the order of submission for a single run", () => {
    assert.deepEqual(order(createFairShare(), [execution("1", a), execution("2", a), execution("3", a)]), [
      "1",
      "2",
      "3",
    ]);
  });

  it("puts priority before everything", () => {
    const share = createFairShare();
    const [first, second] = [execution("1", a), execution("2", urgent)];
    lend(second, 3);
    share.charge(second, 1e6);
    assert.deepEqual(order(share, [first, second]), ["2", "1"]);
  });

  it("puts the run with fewer workers first, then the one that has used less of their time", () => {
    const share = createFairShare();
    const all = [execution("1", a), execution("2", b), execution("3", c)];
    lend(all[0] as Execution, 2);
    lend(all[1] as Execution, 1);
    lend(all[2] as Execution, 1);
    share.charge(all[1] as Execution, 500);
    assert.deepEqual(order(share, all), ["3", "2", "1"]);
  });

  it("divides a worker's time equally, however long the tasks of each run are", () => {
    const share = createFairShare();
    const lengths = { long: 70, short: 10 };
    const spent = { long: 0, short: 0 };
    const runs = { long: a, short: b };
    const all = Object.entries(runs).map(([name, run]) => execution(name, run));
    for (let turn = 0; turn < 800; turn++) {
      const [next] = share.inOrder(all, all) as [Execution];
      const name = next.taskId as keyof typeof spent;
      spent[name] += lengths[name];
      share.charge(next, lengths[name]);
    }
    assert.ok(Math.abs(spent.long - spent.short) <= lengths.long, JSON.stringify(spent));
  });

  it("lets a run that comes late start level, without a claim to what it has not used", () => {
    const share = createFairShare();
    const old = execution("old", a);
    share.charge(old, 1e6);
    const late = execution("late", b);
    share.enter(late, [old, late]);
    share.charge(late, 1);
    assert.deepEqual(order(share, [late, old]), ["old", "late"]);
  });

  it("takes a task of two runs for that of the run that is best off, and charges each a half", () => {
    const share = createFairShare();
    const common = execution("common", a, b);
    const other = execution("other", c);
    share.charge(common, 100);
    share.charge(other, 60);
    assert.deepEqual(order(share, [other, common]), ["common", "other"]);
    share.enter(execution("urgent", urgent), [other]);
    assert.deepEqual(order(share, [other, execution("joined", c, urgent)]), ["joined", "other"]);
  });
});
