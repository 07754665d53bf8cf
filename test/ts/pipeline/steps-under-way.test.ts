import assert from "node:assert/strict";
import { CasslError, cancelled } from "../../../ts/core/errors.js";
import type { RunEvent } from "../../../ts/gen/cassl/v1/run.js";
import { createStepsUnderWay, type Participant, type StepContext } from "../../../ts/pipeline/steps-under-way.js";

interface Run extends Participant {
  readonly events: NonNullable<RunEvent["event"]>[];
  readonly aborting: AbortController;
}

function run(runId: string, step = runId): Run {
  const events: Run["events"] = [];
  const aborting = new AbortController();
  const emit = (event: NonNullable<RunEvent["event"]>): number => events.push(event);
  return { run: { runId, priority: 0 }, step, emit, events, aborting, signal: aborting.signal };
}

/** Work that ends when the test says so. */
function pending() {
  let finish: (value: string) => void = () => {};
  const contexts: StepContext[] = [];
  const work = (context: StepContext): Promise<string> => {
    contexts.push(context);
    return new Promise((resolve, reject) => {
      finish = resolve;
      context.signal.addEventListener("abort", () => reject(CasslError.from(context.signal.reason)));
    });
  };
  return { work, contexts, finish: (value: string) => finish(value) };
}

describe("steps under way", () => {
  it("are done once for all runs that come to them, and tell all of them", async () => {
    const underWay = createStepsUnderWay();
    const [a, b] = [run("a"), run("b", "arm/step")];
    const { work, contexts, finish } = pending();
    const both = [underWay.join("key", a, work), underWay.join("key", b, work)];
    contexts[0]?.progress({ $case: "items", value: { done: 1, total: 2 } });
    finish("done");
    assert.deepEqual(await Promise.all(both), [
      { value: "done", isShared: false },
      { value: "done", isShared: true },
    ]);
    assert.equal(contexts.length, 1);
    const steps = [a, b].map(({ events }) =>
      events.flatMap((event) => (event.$case === "step_progress" ? event.value.step : [])),
    );
    assert.deepEqual(steps, [["a"], ["arm/step"]]);
  });

  it("go on when one of the runs is cancelled, even the one that began them", async () => {
    const underWay = createStepsUnderWay();
    const [a, b] = [run("a"), run("b")];
    const { work, contexts, finish } = pending();
    const [first, second] = [underWay.join("key", a, work), underWay.join("key", b, work)];
    a.aborting.abort(cancelled());
    await assert.rejects(first, { reason: "CANCELLED" });
    assert.equal(contexts[0]?.signal.aborted, false);
    assert.deepEqual([...(contexts[0]?.participants ?? [])], [b]);
    finish("done");
    assert.equal((await second).value, "done");
  });

  it("are stopped when the last run has gone, and begun anew for who comes then", async () => {
    const underWay = createStepsUnderWay();
    const [a, b, c] = [run("a"), run("b"), run("c")];
    const old = pending();
    const joined = [underWay.join("key", a, old.work), underWay.join("key", b, old.work)];
    a.aborting.abort(cancelled());
    b.aborting.abort(cancelled());
    await Promise.all(joined.map((each) => assert.rejects(each, { reason: "CANCELLED" })));
    assert.equal(old.contexts[0]?.signal.aborted, true);
    const anew = pending();
    const third = underWay.join("key", c, anew.work);
    anew.finish("again");
    assert.deepEqual(await third, { value: "again", isShared: false });
  });

  it("fail for all runs that wait for them", async () => {
    const underWay = createStepsUnderWay();
    const fail = async (): Promise<never> => {
      throw new Error("broken");
    };
    const both = [underWay.join("key", run("a"), fail), underWay.join("key", run("b"), fail)];
    for (const each of both) await assert.rejects(each, /broken/);
    assert.equal((await underWay.join("key", run("c"), async () => "fine")).value, "fine");
  });
});
