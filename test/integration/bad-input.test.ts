/** Bad input through the compiled CLI: reason, offending value and remedy on stderr, the right exit code, nothing half-written. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { cassl, makeProject, type Project } from "./project.js";

interface CocoFile {
  images: { id: number; file_name: string }[];
  annotations: { id: number; image_id: number; category_id: number; bbox: number[] }[];
  categories: { id: number; name: string }[];
}

describe("bad input", function () {
  this.timeout(60_000);
  let project: Project;

  beforeEach(async () => {
    project = await makeProject();
  });
  afterEach(() => project.remove());

  const edit = async (file: string, change: (coco: CocoFile) => void): Promise<void> => {
    const path = join(project.folder, file);
    const coco = JSON.parse(await readFile(path, "utf8")) as CocoFile;
    change(coco);
    await writeFile(path, JSON.stringify(coco));
  };

  const assertRefused = async (code: number, parts: readonly RegExp[], env: NodeJS.ProcessEnv = {}): Promise<void> => {
    const ended = await cassl(["run", project.configFile], env).finished;
    for (const part of parts) assert.match(ended.stderr, part);
    assert.equal(ended.code, code, ended.stderr);
    assert.doesNotMatch(ended.stderr, /\n\s+at .*\.js:\d+/, "a stack trace was shown");
    await assertNothingHalfWritten(project.workspace);
  };

  it("names the nearest key for an unknown one", async () => {
    project.config["solver"] = { learning_rat: 0.1 };
    await project.writeConfig();
    await assertRefused(2, [/solver\.learning_rat/, /learning_rate/]);
  });

  it("names the path and the value of a wrong type", async () => {
    project.config["seed"] = "seven";
    await project.writeConfig();
    await assertRefused(2, [/seed/, /seven/]);
  });

  it("names a missing annotation file", async () => {
    await rm(join(project.folder, "train.json"));
    await assertRefused(2, [/train\.json/]);
  });

  it("says where an annotation file is cut off", async () => {
    await truncate(join(project.folder, "train.json"), 300);
    await assertRefused(2, [/train\.json/, /300|cut/]);
  });

  it("names a box outside its image", async () => {
    await edit("train.json", ({ annotations }) =>
      annotations.forEach((a, i) => i === 2 && (a.bbox = [200, 200, 10, 10])),
    );
    await assertRefused(2, [/annotation 3/i, /200/]);
  });

  it("names a box of no area", async () => {
    await edit("train.json", ({ annotations }) => annotations.forEach((a, i) => i === 2 && (a.bbox = [5, 5, 0, 10])));
    await assertRefused(2, [/annotation 3/i, /area/]);
  });

  it("names an annotation without its image", async () => {
    await edit("train.json", ({ annotations }) => annotations.forEach((a, i) => i === 0 && (a.image_id = 999)));
    await assertRefused(2, [/annotation 1/i, /999/]);
  });

  it("names duplicate ids", async () => {
    await edit("train.json", ({ images }) => images.forEach((image) => (image.id = 1)));
    await assertRefused(2, [/duplicate|twice/i, /\b1\b/]);
  });

  it("names a truncated image", async () => {
    await truncate(join(project.folder, "unlabeled", "3.jpg"), 400);
    await assertRefused(2, [/3\.jpg/]);
  });

  it("names a file that is not an image", async () => {
    await writeFile(join(project.folder, "train", "2.jpg"), "not an image");
    await assertRefused(2, [/2\.jpg/]);
  });

  it("refuses an empty labeled set", async () => {
    await edit("train.json", (coco) => Object.assign(coco, { images: [], annotations: [] }));
    await assertRefused(2, [/labeled/]);
  });

  it("refuses an empty unlabeled set and offers the supervised arm", async () => {
    await rm(join(project.folder, "unlabeled"), { recursive: true });
    await mkdir(join(project.folder, "unlabeled"));
    await assertRefused(2, [/unlabeled/, /supervised/]);
  });

  it("names a validation class that training lacks", async () => {
    await edit("val.json", ({ categories, annotations }) => {
      categories.push({ id: 3, name: "green" });
      annotations.forEach((a) => (a.category_id = 3));
    });
    await assertRefused(2, [/green/]);
  });

  it("says how to install torch where the worker's Python lacks it", async () => {
    await assertRefused(1, [/torch/, /pip install/], {
      CASSL_PYTHON: await fakePython(
        "exec python3 -S -I -c 'import sys; sys.stderr.write(\"cassl-worker: WORKER_INCOMPLETE: torch is missing: pip install torch\\n\"); sys.exit(3)'",
      ),
    });
  });

  it("shows the last lines of a worker that dies at start", async () => {
    await assertRefused(1, [/libgone\.so: cannot open/], {
      CASSL_PYTHON: await fakePython("echo 'libgone.so: cannot open' >&2; exit 1"),
    });
  });

  it("names a Python that does not exist", async () => {
    await assertRefused(1, [/no-such-python/], { CASSL_PYTHON: "/no-such-python" });
  });

  it("names a port that is taken", async () => {
    const server = await new Promise<Server>((resolve) => {
      const listening = createServer().listen(0, "127.0.0.1", () => resolve(listening));
    });
    const { port } = server.address() as { port: number };
    const ended = await cassl([
      "serve",
      "--listen",
      `127.0.0.1:${port}`,
      "--workspace",
      project.workspace,
      "--workers",
      "0",
    ]).finished;
    server.close();
    assert.match(ended.stderr, new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.equal(ended.code, 1);
  });

  it("refuses an address that is not loopback", async () => {
    const ended = await cassl(["serve", "--listen", "0.0.0.0:0", "--workspace", project.workspace, "--workers", "0"])
      .finished;
    assert.match(ended.stderr, /0\.0\.0\.0/);
    assert.equal(ended.code, 2);
  });

  it("refuses a workspace that another controller uses", async () => {
    const first = cassl(["serve", "--listen", "127.0.0.1:0", "--workspace", project.workspace, "--workers", "0"]);
    await first.line((line) => line.includes("127.0.0.1"));
    const second = await cassl(["run", project.configFile]).finished;
    first.child.kill("SIGTERM");
    await first.finished;
    assert.match(second.stderr, new RegExp(String(first.child.pid)));
    assert.equal(second.code, 1);
  });

  it("stops with the reason when the disk is full, and goes on when there is space", async function () {
    this.timeout(180_000);
    const small = join(project.folder, "small");
    await mkdir(small);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small], { stdio: "pipe" });
    } catch {
      console.log("skipped: a file system of 2 MB cannot be mounted here");
      this.skip();
    }
    try {
      const ended = await cassl(["run", project.configFile, "--workspace", join(small, ".cassl")]).finished;
      assert.match(ended.stderr, /space|full/i);
      assert.equal(ended.code, 1, ended.stderr);
      await assertNothingHalfWritten(join(small, ".cassl"));
      execFileSync("mount", ["-o", "remount,size=400m", small]);
      const again = await cassl(["run", project.configFile, "--workspace", join(small, ".cassl")]).finished;
      assert.equal(again.code, 0, again.stderr);
    } finally {
      execFileSync("umount", ["-l", small]);
    }
  });

  /** An executable that stands in for the worker's Python. */
  async function fakePython(script: string): Promise<string> {
    const path = join(project.folder, "python");
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }
});

/** No result, no temporary file. */
async function assertNothingHalfWritten(workspace: string): Promise<void> {
  if (!existsSync(workspace)) return;
  const files = await readdir(workspace, { recursive: true });
  assert.deepEqual(
    files.filter((file) => /result\.json|report\.|\.tmp|\.part/.test(file)),
    [],
  );
}
