import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openArtifactStore } from "../../../ts/controller/artifacts.js";
import { CasslError } from "../../../ts/core/errors.js";
import { CARRIED_PARTS, parseConfig } from "../../../ts/pipeline/config.js";
import { storePretrained } from "../../../ts/pipeline/pretrained.js";
import { makeFolder } from "../controller/workbench.js";

describe("pretrained weights", () => {
  let folder: string;
  before(async () => {
    folder = await makeFolder();
  });
  after(() => rm(folder, { recursive: true }));

  const configOf = (pretrained?: string) => {
    const set = { annotations: "a.json", images: "a" };
    const data = { labeled: set, unlabeled: { images: ["more"] }, validation: set };
    return parseConfig({ name: "test", data, ...(pretrained === undefined ? {} : { pretrained }) });
  };

  it("become an artifact, of which every part is taken", async () => {
    const artifacts = await openArtifactStore(join(folder, "artifacts"));
    await writeFile(join(folder, "zoo.pth"), "weights");
    const start = await storePretrained(configOf(join(folder, "zoo.pth")), { artifacts });
    assert.deepEqual(start?.carry, [...CARRIED_PARTS]);
    assert.equal(Buffer.from(await artifacts.read(start.weights)).toString(), "weights");
  });

  it("are copied once, however often a run starts from them, and again where their bytes are others", async () => {
    const artifacts = await openArtifactStore(join(folder, "artifacts"));
    const file = join(folder, "again.pth");
    let copies = 0;
    const counting = {
      ...artifacts,
      putFile: (write: (path: string) => Promise<void>) => {
        copies++;
        return artifacts.putFile(write);
      },
    };
    const weights: (string | undefined)[] = [];
    for (const bytes of ["one", "one", "two"]) {
      await writeFile(file, bytes);
      weights.push((await storePretrained(configOf(file), { artifacts: counting }))?.weights);
    }
    assert.equal(copies, 2);
    assert.equal(weights[0], weights[1]);
    assert.notEqual(weights[1], weights[2]);
  });

  it("are none where the configuration names none", async () => {
    const artifacts = await openArtifactStore(join(folder, "artifacts"));
    assert.equal(await storePretrained(configOf(), { artifacts }), undefined);
  });

  it("that are not there are named", async () => {
    const artifacts = await openArtifactStore(join(folder, "artifacts"));
    for (const path of ["/no/such.pth", folder]) {
      await assert.rejects(storePretrained(configOf(path), { artifacts }), (error) => {
        assert.ok(error instanceof CasslError);
        assert.equal(error.reason, "FILE_NOT_FOUND");
        return error.message.includes(path);
      });
    }
  });
});
