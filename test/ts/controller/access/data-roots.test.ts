import assert from "node:assert/strict";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import {
  checkData,
  checkFiles,
  createDataRoots,
  type DataRoots,
  withinRoots,
} from "../../../../ts/controller/access/data-roots.js";
import { policies } from "../../data/fixtures.js";
import { makeFolder } from "../workbench.js";

describe("data roots", () => {
  let folder: string;
  let roots: DataRoots;
  const at = (...names: string[]): string => [folder, ...names].join("/");

  before(async () => {
    folder = await makeFolder();
    await mkdir(at("data", "images"), { recursive: true });
    await mkdir(at("data-of-others"));
    await writeFile(at("data", "labels.json"), "{}");
    await writeFile(at("secret.json"), "{}");
    await symlink(at("secret.json"), at("data", "link.json"));
    await symlink(folder, at("data", "up"));
    await symlink(at("data", "images"), at("data", "inside"));
    await symlink(at("data"), at("shortcut"));
    roots = createDataRoots([at("shortcut")]);
  });
  after(() => rm(folder, { recursive: true }));

  it("have what is inside of them, however it is named", () => {
    for (const path of [
      "data",
      "data/labels.json",
      "shortcut/labels.json",
      "data/inside",
      "data/images/*.jpg",
      "data/**/*.png",
    ])
      roots.check(at(path));
  });

  for (const path of [
    "",
    "secret.json",
    "data-of-others",
    "data/../secret.json",
    "data/missing/../../secret.json",
    "data/link.json",
    "data/up/secret.json",
    "data/up/*.json",
    "*/labels.json",
    "data/missing",
  ]) {
    it(`do not have ${path || "the folder that they are in"}`, () => {
      assert.throws(() => roots.check(at(path)), { reason: "PATH_NOT_ALLOWED", remedy: /--data-root/ });
    });
  }

  it("do not have what lies elsewhere, whether it is there or not", () => {
    for (const path of ["/etc/passwd", "/etc/no-such-file", "/*", "/", "/proc/self/environ", "//etc//passwd"])
      assert.throws(() => roots.check(path), { reason: "PATH_NOT_ALLOWED" });
  });

  it("refuse what is no absolute path even if there are none", () => {
    for (const path of ["labels.json", "../x", "", "~/x", "/data/a\0b", "file:///etc/passwd"])
      assert.throws(() => createDataRoots(undefined).check(path), { reason: "CONFIG_INVALID" });
    createDataRoots(undefined).check("/anywhere/../at/all");
  });

  it("hold for every image, also behind a link in a folder", () => {
    const guarded = withinRoots({ find: () => undefined, save: () => {} }, roots);
    const file = { size_bytes: 1, mtime_ms: 1 };
    guarded.find(at("data", "labels.json"), file);
    assert.throws(() => guarded.find(at("data", "link.json"), file), { reason: "PATH_NOT_ALLOWED" });
  });

  it("leave no images to be fetched from elsewhere", () => {
    const folders = { annotations: at("data", "labels.json"), images: "https://example.org/images" };
    const data = (hosts: string[]) => ({
      ...policies,
      labeled: folders,
      unlabeled: { images: [], rest_of_labeled: false },
      validation: folders,
      remote: { ...policies.remote, hosts },
    });
    checkData(roots, data([]));
    checkData(createDataRoots(undefined), data(["example.org"]));
    checkFiles(roots, { data: data([]), pretrained: at("data", "labels.json") });
    const outside = { data: data([]), pretrained: at("secret.json") };
    assert.throws(() => checkFiles(roots, outside), { reason: "PATH_NOT_ALLOWED", message: /secret\.json/ });
    const refused = { reason: "PATH_NOT_ALLOWED", message: /example\.org/ };
    assert.throws(() => checkData(roots, data(["example.org"])), refused);
  });

  it("let images be fetched from hosts that the controller was started with, and no others", () => {
    const guarded = createDataRoots([at("data")], ["files.lab:8080"]);
    guarded.checkHosts(["files.lab:8080"]);
    for (const host of ["files.lab", "evil.example"])
      assert.throws(() => guarded.checkHosts(["files.lab:8080", host]), {
        reason: "PATH_NOT_ALLOWED",
        message: new RegExp(host),
      });
  });

  it("must be there", () => {
    assert.throws(() => createDataRoots([at("nowhere")]), { reason: "FILE_NOT_FOUND", message: /nowhere/ });
  });
});
