import assert from "node:assert/strict";
import { describePending, missingResources } from "../../../ts/ray/missing-resources.js";

const JOB = { submission_id: "a-1", entrypoint: "true", metadata: {}, runtime_env: {} };
const NODES = [
  { CPU: 2, memory: 8e9 },
  { CPU: 16, GPU: 1, memory: 64e9 },
];

describe("what no node has for a job", () => {
  it("is nothing where one node has it all, even if it is busy", () => {
    assert.deepEqual(missingResources({ ...JOB, entrypoint_num_gpus: 1, entrypoint_num_cpus: 16 }, NODES), []);
    const { why, isDoubtful } = describePending({ ...JOB, entrypoint_num_gpus: 1 }, NODES);
    assert.match(why, /busy/);
    assert.equal(isDoubtful, false);
  });

  it("is what the node lacks that comes closest", () => {
    const job = { ...JOB, entrypoint_num_gpus: 2, entrypoint_memory: 32e9, entrypoint_resources: { "lab-a": 1 } };
    assert.deepEqual(missingResources(job, NODES), ["2 GPU", "1 lab-a"]);
    const expected = { why: "No node of the cluster has 2 GPU and 1 lab-a.", isDoubtful: true };
    assert.deepEqual(describePending(job, NODES), expected);
  });

  it("is all of it in a cluster without nodes", () => {
    assert.deepEqual(missingResources({ ...JOB, entrypoint_memory: 4e9 }, []), ["4 GB of memory"]);
  });

  it("may be labels, of which Ray says nothing here", () => {
    const { why, isDoubtful } = describePending({ ...JOB, entrypoint_label_selector: { zone: "a" } }, NODES);
    assert.match(why, /zone=a/);
    assert.equal(isDoubtful, true);
  });
});
