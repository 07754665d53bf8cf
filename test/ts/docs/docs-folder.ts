/** A folder in which what the documentation shows is there: data, a model and finished runs, by the names that it uses. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { CasslClient } from "../../../ts/client/client.js";
import { startController } from "../../../ts/controller/controller.js";
import { packageRoot } from "../../../ts/core/package.js";
import type { RunConfig } from "../../../ts/gen/cassl/v1/run.js";
import { makeCellsProject, workOn } from "../controller/cells-project.js";
import { BLUE, cellBox, RED, writeCells } from "../evaluation/cells.js";

const PHOTOS = 12;
const CLASSES = ["kitty", "car", "bus", "train"];
const RUNS = ["cells-a", "cells-b", "blood-20260301-140509", "blood-20260302-090000"];
/** Other names of the same. */
const LINKS = {
  DATA: "aquarium",
  ANNOTATIONS: "aquarium",
  IN: "aquarium",
  "instances.json": "gt.json",
  "train.json": "gt.json",
  GT: "gt.json",
  DT: "detections.json",
  "new.json": "detections.json",
  "old.json": "detections.json",
  "MODEL.onnx": "model.onnx",
  IMAGES: "photos",
  "a.jpg": "photos/0.png",
  annotations: "voc/Annotations",
};

export async function makeDocsFolder(folder: string): Promise<void> {
  for (const name of ["aquarium", "experiments"]) await mkdir(join(folder, name), { recursive: true });
  await writeSet(folder);
  await copyFile(join(packageRoot, "test/golden/detections-model.onnx"), join(folder, "model.onnx"));
  for (const [name, target] of Object.entries(LINKS)) await symlink(target, join(folder, name));
  const convert = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(packageRoot, "dist/ts/cli/main.js"), "convert", "aquarium", ...args], {
      cwd: folder,
    });
  await convert("voc", "--to", "voc");
  await convert("voc2012-yolo", "--to", "yolo", "--image-files", "none");
  await mkdir(join(folder, "cells"));
  const config = await makeCellsProject(join(folder, "cells"));
  await writeFile(join(folder, "cassl.yaml"), stringify(config));
  await writeFile(join(folder, "reviewed.json"), JSON.stringify(review()));
  await finishRuns(join(folder, ".cassl"), config);
}

/** Photos with an object each, its annotations, and detections that are all right. */
async function writeSet(folder: string): Promise<void> {
  await mkdir(join(folder, "photos"));
  const each = Array.from({ length: PHOTOS }, (_, index) => index);
  for (const index of each) {
    const cells = [{ cell: index, color: index % 2 === 0 ? RED : BLUE }];
    await writeCells(join(folder, "photos"), `${index}.png`, cells);
  }
  await symlink("../photos", join(folder, "aquarium/images"));
  const boxes = each.map((index) => ({
    image_id: index + 1,
    category_id: (index % CLASSES.length) + 1,
    bbox: cellBox(index),
  }));
  const coco = {
    images: each.map((index) => ({ id: index + 1, file_name: `${index}.png`, width: 64, height: 48 })),
    annotations: boxes.map((box, index) => ({ ...box, id: index + 1, area: 256, iscrowd: 0 })),
    categories: CLASSES.map((name, index) => ({ id: index + 1, name })),
  };
  for (const file of ["aquarium/annotations.json", "gt.json"])
    await writeFile(join(folder, file), JSON.stringify(coco));
  await writeFile(join(folder, "detections.json"), JSON.stringify(boxes.map((box) => ({ ...box, score: 0.5 }))));
}

/** Of one of the unlabeled images, which shows nothing. */
function review(): object {
  const categories = [
    { id: 3, name: "blue" },
    { id: 7, name: "red" },
  ];
  return { images: [{ id: 1, file_name: "unlabeled/0.png", width: 64, height: 48 }], annotations: [], categories };
}

async function finishRuns(workspace: string, config: RunConfig): Promise<void> {
  const controller = await startController({ workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" });
  const client = new CasslClient(controller.address);
  try {
    void workOn(controller.address);
    for (const run of RUNS) {
      await client.createRun(run, config);
      for await (const _ of client.watchRun(run));
    }
  } finally {
    client.close();
    await controller.stop();
  }
}
