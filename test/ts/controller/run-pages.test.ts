import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pageOfRuns } from "../../../ts/controller/run-pages.js";
import { openState, type StateStore } from "../../../ts/controller/state.js";
import { ListRunsRequest, type ListRunsResponse } from "../../../ts/gen/cassl/v1/controller_service.js";
import { Run, State } from "../../../ts/gen/cassl/v1/run.js";
import { makeFolder } from "./workbench.js";

describe("pages of runs", () => {
  let folder: string;
  let state: StateStore;

  beforeEach(async () => {
    folder = await makeFolder();
    state = openState(join(folder, "state.db"));
    for (let index = 0; index < 7; index++) {
      const name = index % 2 === 0 ? "even" : "odd";
      const failed = index > 3 ? State.FAILED : State.SUCCEEDED;
      state.saveRun(Run.fromPartial({ run_id: `run-${index}`, state: failed, config: { name } }));
    }
  });
  afterEach(async () => {
    state.close();
    await rm(folder, { recursive: true });
  });

  const page = (request: Partial<ListRunsRequest>): ListRunsResponse =>
    pageOfRuns(ListRunsRequest.fromPartial(request), state.listRuns);
  const ids = ({ runs }: ListRunsResponse): string[] => runs.map(({ run_id }) => run_id);

  it("give every run once, newest first, also while runs are added", () => {
    const first = page({ page_size: 3 });
    assert.deepEqual(ids(first), ["run-6", "run-5", "run-4"]);
    state.saveRun(Run.fromPartial({ run_id: "new" }));
    const second = page({ page_size: 3, page_token: first.next_page_token });
    assert.deepEqual(ids(second), ["run-3", "run-2", "run-1"]);
    const third = page({ page_size: 3, page_token: second.next_page_token });
    assert.deepEqual([ids(third), third.next_page_token], [["run-0"], ""]);
  });

  it("say that nothing follows when a page is just full", () => {
    assert.equal(page({ page_size: 7 }).next_page_token, "");
    assert.equal(page({}).runs.length, 7);
  });

  it("hold what the filter asks for", () => {
    assert.deepEqual(ids(page({ states: [State.FAILED] })), ["run-6", "run-5", "run-4"]);
    assert.deepEqual(ids(page({ name: "odd" })), ["run-5", "run-3", "run-1"]);
    assert.deepEqual(ids(page({ name: "odd", states: [State.FAILED, State.RUNNING] })), ["run-5"]);
    assert.deepEqual(page({ name: "'; DROP TABLE runs; --" }), { runs: [], next_page_token: "" });
  });

  it("stay small where the runs are large", () => {
    const paths = Array.from({ length: 1500 }, (_, index) => `/images/${"x".repeat(1000)}${index}`);
    for (const run_id of ["large-1", "large-2", "large-3"]) {
      state.saveRun(Run.fromPartial({ run_id, config: { data: { unlabeled: { images: paths } } } }));
    }
    const first = page({});
    assert.deepEqual(ids(first), ["large-3", "large-2"]);
    assert.deepEqual(ids(page({ page_token: first.next_page_token }))[0], "large-1");
  });

  it("refuse what makes no sense", () => {
    const { next_page_token } = page({ page_size: 2 });
    const cases: [Partial<ListRunsRequest>, RegExp][] = [
      [{ page_size: -1 }, /page_size.*-1/],
      [{ states: [State.UNSPECIFIED] }, /states.*0/],
      [{ states: [99 as State] }, /states.*99/],
      [{ page_token: "nonsense" }, /page_token.*nonsense/],
      [{ page_token: next_page_token, name: "odd" }, /page_token/],
    ];
    for (const [request, message] of cases) assert.throws(() => page(request), { reason: "REQUEST_INVALID", message });
  });
});
