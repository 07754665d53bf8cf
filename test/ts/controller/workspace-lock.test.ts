import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { lockWorkspace } from "../../../ts/controller/workspace-lock.js";
import { makeFolder } from "./workbench.js";

const MODULE = new URL("../../../ts/controller/workspace-lock.js", import.meta.url).href;

describe("workspace lock", () => {
  let folder: string;
  let file: string;
  let other: ChildProcess | undefined;

  beforeEach(async () => {
    folder = await makeFolder();
    file = join(folder, "lock");
  });
  afterEach(async () => {
    other?.kill("SIGKILL");
    await rm(folder, { recursive: true });
  });

  /** Resolves when another process has the lock. */
  async function lockElsewhere(): Promise<ChildProcess> {
    const script = `const { lockWorkspace } = await import(${JSON.stringify(MODULE)});
      globalThis.lock = lockWorkspace("w", ${JSON.stringify(file)});
      console.log("locked"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    other = child;
    await once(child.stdout, "data");
    return child;
  }

  it("names the process that has the workspace", async () => {
    const child = await lockElsewhere();
    assert.throws(() => lockWorkspace(folder, file), {
      reason: "WORKSPACE_LOCKED",
      message: new RegExp(`${folder}.*process ${child.pid} on ${hostname()}`),
    });
  });

  it("is free again when the process that had it was killed", async () => {
    const child = await lockElsewhere();
    child.kill("SIGKILL");
    await once(child, "exit");
    lockWorkspace(folder, file).release();
  });

  it("is held once within a process too, until it is released", () => {
    const lock = lockWorkspace(folder, file);
    assert.throws(() => lockWorkspace(folder, file), {
      reason: "WORKSPACE_LOCKED",
      message: new RegExp(`${process.pid}`),
    });
    lock.release();
    lockWorkspace(folder, file).release();
  });
});
