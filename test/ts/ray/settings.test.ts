import assert from "node:assert/strict";
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRaySettings, readRayCluster } from "../../../ts/ray/settings.js";
import { makeFolder } from "../controller/workbench.js";
import { throwsCassl } from "./errors.js";

const LEAST = "address: http://127.0.0.1:8265\nstorage: /mnt/shared\n";

describe("the file of --ray", () => {
  it("needs an address and a storage, and has defaults for the rest", () => {
    const settings = parseRaySettings(LEAST, "ray.yaml");
    assert.deepEqual(settings.train, {
      ...{ cpus: 1, gpus: 0, memory_gb: 0, resources: {}, labels: {} },
      ...{ workers: 1, max_failures: 3 },
    });
    assert.equal(settings.driver.cpus, 0);
    assert.equal(settings.pending_seconds, 600);
  });

  it("names the nearest key for an unknown one, also inside", () => {
    throwsCassl(() => parseRaySettings(`${LEAST}train: {worker: 2}\n`, "ray.yaml"), "CONFIG_INVALID", /train\.workers/);
  });

  it("names what is missing or wrong", () => {
    throwsCassl(
      () => parseRaySettings("address: 10.0.0.1:8265\n", "ray.yaml"),
      "CONFIG_INVALID",
      /http:\/\/.*storage/s,
    );
    throwsCassl(() => parseRaySettings("{", "ray.yaml"), "CONFIG_INVALID", /ray\.yaml is not YAML/);
    for (const kind of ["train", "predict"]) {
      const inverted = `${LEAST}${kind}: {workers: 2, min_workers: 3}\n`;
      throwsCassl(() => parseRaySettings(inverted, "ray.yaml"), "CONFIG_INVALID", /min_workers` is 3/);
    }
  });

  it("takes an absolute path or a URI as storage, nothing that depends on where a process is", () => {
    const withStorage = (storage: string) => `address: http://127.0.0.1:8265\nstorage: "${storage}"\n`;
    for (const storage of ["/mnt/shared", "s3://bucket/cassl?region=eu", "file:///mnt/shared"])
      assert.equal(parseRaySettings(withStorage(storage), "ray.yaml").storage, storage);
    for (const storage of ["shared", "./shared", "~/shared", "s3:bucket", ""])
      throwsCassl(() => parseRaySettings(withStorage(storage), "ray.yaml"), "CONFIG_INVALID", /storage.*absolute path/);
  });

  it("finds the token beside itself, and refuses one that others can read", async () => {
    const folder = await makeFolder();
    const file = join(folder, "ray.yaml");
    await writeFile(file, `${LEAST}token_file: token\n`);
    await writeFile(join(folder, "token"), "secret\n", { mode: 0o600 });
    assert.equal((await readRayCluster(file)).token, "secret");
    await chmod(join(folder, "token"), 0o644);
    await assert.rejects(readRayCluster(file), { reason: "CONFIG_INVALID" });
    await rm(folder, { recursive: true });
  });

  it("says so when it is not there", async () => {
    await assert.rejects(readRayCluster("/nowhere/ray.yaml"), { reason: "FILE_NOT_FOUND" });
  });
});
