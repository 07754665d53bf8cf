/** A small project whose detector is test/golden/detections-model.onnx, and a worker that "trains" it. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Dealer } from "zeromq";
import { CasslClient } from "../../../ts/client/client.js";
import { FRAME_VERSION } from "../../../ts/controller/frame-sender.js";
import { toXyxy } from "../../../ts/core/boxes.js";
import { sha256 } from "../../../ts/core/hash.js";
import { packageRoot } from "../../../ts/core/package.js";
import type { ArtifactRef } from "../../../ts/gen/cassl/v1/artifact_service.js";
import { ShardHeader } from "../../../ts/gen/cassl/v1/prediction_frame.js";
import type { RunConfig } from "../../../ts/gen/cassl/v1/run.js";
import type { Lease, Register, Welcome } from "../../../ts/gen/cassl/v1/worker_service.js";
import { parseConfig } from "../../../ts/pipeline/config.js";
import { BLUE, cellBox, RED, writeCells } from "../evaluation/cells.js";
import { attachWorker, type FakeWorker } from "./fake-worker.js";

const UNLABELED = 3;
/** The red cell of each annotated image. */
const ANNOTATED = { "train-1.png": 3, "train-2.png": 4, "val-1.png": 5 };

/** Images with a red and a blue cell. */
export async function makeCellsProject(folder: string): Promise<RunConfig> {
  const cells = (first: number) => [
    { cell: first, color: RED },
    { cell: first + 5, color: BLUE },
  ];
  for (const [name, cell] of Object.entries(ANNOTATED)) await writeCells(folder, name, cells(cell));
  const unlabeled = join(folder, "unlabeled");
  await mkdir(unlabeled);
  for (let image = 0; image < UNLABELED; image++) await writeCells(unlabeled, `${image}.png`, cells(image));
  const train = await writeCoco(folder, "train", ["train-1.png", "train-2.png"]);
  const val = await writeCoco(folder, "val", ["val-1.png"]);
  return parseConfig({
    name: "cells",
    data: {
      labeled: { annotations: train, images: folder },
      unlabeled: { images: [unlabeled] },
      validation: { annotations: val, images: folder },
    },
    detector: { input_width_px: 64, input_height_px: 64 },
    stages: { pseudo_label: { held_out: 0, select: { score_threshold: 0.4 } } },
    gates: { max_box_ratio: 100, max_kept_share: 1 },
  });
}

async function writeCoco(folder: string, name: string, files: (keyof typeof ANNOTATED)[]): Promise<string> {
  const images = files.map((file_name, index) => ({ id: index + 1, file_name, width: 64, height: 48 }));
  const annotations = images.flatMap(({ id, file_name }) =>
    [7, 3].map((category_id, index) => ({
      id: id * 2 + index,
      image_id: id,
      category_id,
      bbox: cellBox(ANNOTATED[file_name] + index * 5),
      area: 256,
      iscrowd: 0,
    })),
  );
  const categories = [
    { id: 3, name: "blue" },
    { id: 7, name: "red" },
  ];
  const path = join(folder, `${name}.json`);
  await writeFile(path, JSON.stringify({ images, annotations, categories }));
  return path;
}

/** Does every task that it is given until the controller stops. Training twice with equal tasks gives equal weights. */
export async function workOn(
  address: string,
  onLease: (lease: Lease) => unknown = () => {},
  register: Partial<Register> = {},
): Promise<void> {
  const worker = attachWorker(address, register);
  const welcome = await worker.next("welcome");
  const beats = setInterval(() => worker.send({ $case: "heartbeat", value: {} }), welcome.heartbeat_seconds * 1000);
  try {
    for (;;) {
      const lease = await worker.next("lease");
      await onLease(lease);
      await doTask(worker, lease, address, welcome);
    }
  } catch {
    // The stream has ended.
  } finally {
    clearInterval(beats);
  }
}

async function doTask(worker: FakeWorker, lease: Lease, address: string, welcome: Welcome): Promise<void> {
  const kind = lease.task?.kind;
  if (kind?.$case === "train") {
    worker.progress(lease, 1);
    const weights = await putArtifact(address, Buffer.from(`weights ${JSON.stringify(kind.value)}`));
    const iterations = kind.value.solver?.iterations ?? 0;
    worker.succeed(lease, { $case: "train", value: { weights, iterations, transplant_ledger: undefined } });
  } else if (kind?.$case === "predict") {
    await sendShard(lease, welcome);
    worker.succeed(lease, { $case: "predict", value: { image_count: UNLABELED, box_count: UNLABELED } });
  } else {
    const onnx = await putArtifact(address, await readFile(join(packageRoot, "test/golden/detections-model.onnx")));
    worker.succeed(lease, { $case: "export", value: { onnx } });
  }
}

/** One box in each of the unlabeled images. */
async function sendShard(lease: Lease, { frames_endpoint, frames_token }: Welcome): Promise<void> {
  const each = Array.from({ length: UNLABELED }, (_, index) => index);
  const payload = Buffer.concat([
    Buffer.from(Int32Array.from(each).buffer),
    Buffer.from(Int32Array.from(each.map(() => 1)).buffer),
    Buffer.from(Float32Array.from(each.flatMap((index) => toXyxy(cellBox(index)))).buffer),
    Buffer.from(Float32Array.from(each.map(() => 0.9)).buffer),
    Buffer.from(Int32Array.from(each.map(() => 0)).buffer),
  ]);
  const { task_id = "", attempt = 0 } = lease.task_attempt ?? {};
  const counts = { image_count: UNLABELED, box_count: UNLABELED };
  const sender = { version: FRAME_VERSION, token: frames_token, task_id, attempt };
  const header = ShardHeader.encode({ ...sender, shard: 0, ...counts, sha256: sha256(payload) }).finish();
  const dealer = new Dealer({ linger: 0 });
  try {
    dealer.connect(frames_endpoint);
    await dealer.send([header, payload]);
    await dealer.receive();
  } finally {
    dealer.close();
  }
}

function putArtifact(address: string, bytes: Buffer): Promise<ArtifactRef> {
  const client = new CasslClient(address);
  return client.putArtifact(bytes).finally(() => client.close());
}
