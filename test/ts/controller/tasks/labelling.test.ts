import assert from "node:assert/strict";
import fc from "fast-check";
import {
  createLabelling,
  nextShards,
  progressOf,
  shardsToTakeOver,
} from "../../../../ts/controller/tasks/labelling.js";
import type { HeldLease } from "../../../../ts/controller/tasks/lease.js";

const SHARD_SIZE = 10;

function lease(workerId: string, shards: number[], { attempt = 1, since = 0 } = {}): HeldLease {
  return { attempt: { task_id: "p", attempt }, shards, workerId, pid: undefined, since, cancel: () => {} };
}

describe("shards of a prediction", () => {
  it("are given one by one to a worker whose speed is not known", () => {
    const labelling = createLabelling(1000, SHARD_SIZE, []);
    assert.deepEqual(nextShards(labelling, [], "a", 1), [0]);
    assert.deepEqual(nextShards(labelling, [lease("a", [0])], "b", 2), [1]);
  });

  it("are given so many as take ten seconds", () => {
    const labelling = createLabelling(10_000, SHARD_SIZE, [0, 1]);
    labelling.speeds.set("a", 4.9);
    labelling.speeds.set("b", 0.1);
    assert.deepEqual(nextShards(labelling, [], "a", 2), [2, 3, 4, 5]);
    assert.deepEqual(nextShards(labelling, [], "b", 2), [2]);
  });

  it("are given in shrinking shares towards the end, so that nobody waits for the fastest", () => {
    const labelling = createLabelling(200, SHARD_SIZE, []);
    labelling.speeds.set("a", 1000);
    assert.equal(nextShards(labelling, [], "a", 2).length, 5);
    assert.equal(nextShards(labelling, [lease("b", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])], "a", 2).length, 2);
  });

  it("are taken over from the back of the longest lease, once all are given", () => {
    const labelling = createLabelling(100, SHARD_SIZE, [0]);
    const leases = [lease("a", [0, 1, 2, 3, 4, 5, 6]), lease("b", [7, 8, 9], { attempt: 2 })];
    assert.deepEqual(nextShards(labelling, leases, "c", 3), []);
    assert.deepEqual(shardsToTakeOver(labelling, leases, "c", 0), [6, 5, 4]);
    assert.deepEqual(shardsToTakeOver(labelling, leases, "a", 0), [9], "not from itself");
  });

  it("are not taken over a second time, nor is the one that a worker is at", () => {
    const labelling = createLabelling(30, SHARD_SIZE, [0]);
    const leases = [lease("a", [0, 1, 2]), lease("b", [2], { attempt: 2 })];
    assert.deepEqual(shardsToTakeOver(labelling, leases, "c", 0), []);
  });

  it("are all taken over from a worker that is stuck", () => {
    const labelling = createLabelling(20, SHARD_SIZE, []);
    labelling.commits.set(2, 40_000);
    const leases = [lease("a", [0]), lease("b", [1], { attempt: 2 })];
    assert.deepEqual(shardsToTakeOver(labelling, leases, "c", 29_000), []);
    assert.deepEqual(shardsToTakeOver(labelling, leases, "c", 60_000), [0]);
  });

  it("add up to the progress of the whole", () => {
    const labelling = createLabelling(25, SHARD_SIZE, [2]);
    labelling.speeds.set("a", 3).set("b", 4).set("gone", 100);
    const leases = [lease("a", [0]), lease("b", [1], { attempt: 2 })];
    assert.deepEqual(progressOf(labelling, leases), { images_done: 5, total_images: 25, images_per_second: 7 });
  });

  it("are all committed in the end, whichever worker comes next and however fast each is", () => {
    const run = fc.record({
      images: fc.integer({ min: 1, max: 400 }),
      speeds: fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 5 }),
      turns: fc.infiniteStream(fc.nat()),
    });
    fc.assert(
      fc.property(run, ({ images, speeds, turns }) => {
        const labelling = createLabelling(images, SHARD_SIZE, []);
        speeds.forEach((speed, worker) => labelling.speeds.set(String(worker), speed));
        const leases = new Map<string, HeldLease>();
        const committed: number[] = [];
        for (let step = 0; labelling.open.size > 0; step++) {
          assert.ok(step < 10_000, "it does not come to an end");
          const worker = String((turns.next().value as number) % speeds.length);
          const held = leases.get(worker);
          const due = held?.shards.find((shard) => labelling.open.has(shard));
          if (due !== undefined) {
            labelling.open.delete(due);
            committed.push(due);
            continue;
          }
          leases.delete(worker);
          const next = nextShards(labelling, leases.values(), worker, speeds.length);
          const shards = next.length > 0 ? next : shardsToTakeOver(labelling, leases.values(), worker, step);
          if (shards.length > 0) leases.set(worker, lease(worker, shards));
        }
        assert.equal(new Set(committed).size, Math.ceil(images / SHARD_SIZE));
        assert.equal(committed.length, Math.ceil(images / SHARD_SIZE));
      }),
    );
  });
});
