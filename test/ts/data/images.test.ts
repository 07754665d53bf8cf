import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { findImages } from "../../../ts/data/images.js";
import { inspectImage } from "../../../ts/data/inspect-image.js";
import { temporaryFolder } from "./fixtures.js";

describe("finding images", () => {
  const at = temporaryFolder();
  const found = async (): Promise<string[]> => (await findImages(at())).map((path) => relative(at(), path));
  const touch = async (...names: string[]): Promise<void> => {
    for (const name of names) await writeFile(at(name), "");
  };

  it("searches folders in folders, in the order of the names, by extension in either case", async () => {
    await mkdir(at("b/c"), { recursive: true });
    await touch("d.JPG", "a.webp", "b/2.jpeg", "b/c/1.Png", "notes.txt", "jpg", "x.bmp");
    assert.deepEqual(await found(), ["a.webp", "b/2.jpeg", "b/c/1.Png", "d.JPG"]);
  });

  it("passes over what is hidden", async () => {
    await mkdir(at(".thumbnails"));
    await touch(".a.jpg", ".thumbnails/b.jpg", "c.jpg");
    assert.deepEqual(await found(), ["c.jpg"]);
  });

  it("follows links, and is not caught by one that leads back", async () => {
    await mkdir(at("a"));
    await touch("a/1.jpg");
    await symlink(at(), at("a/loop"));
    await symlink(at("a"), at("b"));
    await symlink(at("a/1.jpg"), at("z.jpg"));
    assert.deepEqual(await found(), ["a/1.jpg", "z.jpg"]);
  });

  it("finds a link that leads nowhere, for the inspection to refuse", async () => {
    await symlink(at("gone.jpg"), at("a.jpg"));
    assert.deepEqual(await found(), ["a.jpg"]);
    await assert.rejects(inspectImage(at("a.jpg"), 1e8), /ENOENT/);
  });

  it("finds a folder that cannot be searched, for the inspection to refuse", async () => {
    await mkdir(at("a"));
    await mkdir(at("b"));
    await touch("a/1.jpg", "b/2.jpg");
    await chmod(at("b"), 0);
    await chmod(at(), 0o755);
    try {
      assert.deepEqual(await asNobody(found), ["a/1.jpg", "b"]);
    } finally {
      await chmod(at("b"), 0o700);
    }
    await assert.rejects(inspectImage(at("b"), 1e8), /it is a folder that cannot be searched/);
  });

  it("finds images of the longest names, and a folder whose path is too long", async () => {
    const name = `${"n".repeat(251)}.jpg`;
    await touch(name);
    assert.deepEqual(await found(), [name]);
    // Deeper than a path may be long, so each folder is made from inside the one above.
    execFileSync(
      "sh",
      ["-c", `for i in $(seq 20); do mkdir ${"d".repeat(250)} && cd ${"d".repeat(250)} || break; done 2>/dev/null`],
      {
        cwd: at(),
      },
    );
    try {
      const [tooLong = "", ...others] = await found();
      assert.deepEqual(others, [name]);
      await assert.rejects(inspectImage(at(tooLong), 1e8), /ENAMETOOLONG|cannot be searched/);
    } finally {
      execFileSync("rm", ["-r", "d".repeat(250)], { cwd: at() });
    }
  });

  it("finds images whose names are not UTF-8, for the inspection to refuse", async () => {
    const name = Buffer.concat([Buffer.from(`${at()}/caf`), Buffer.from([0xe9]), Buffer.from(".jpg")]);
    await writeFile(name, "");
    const [path = ""] = await found();
    assert.equal(path, "caf\uFFFD.jpg");
    await assert.rejects(inspectImage(at(path), 1e8), /not UTF-8/);
    await rm(name);
  });

  it("names a folder that is not there, or is a file", async () => {
    await assert.rejects(findImages(at("none")), { reason: "FILE_NOT_FOUND", message: /none/ });
    await touch("file.jpg");
    await assert.rejects(findImages(at("file.jpg")), { reason: "FILE_NOT_FOUND", message: /file\.jpg/ });
  });
});

/** Root may search any folder, so it does the work as somebody who may not. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.("nobody");
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
