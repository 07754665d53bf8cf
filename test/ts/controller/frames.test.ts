import assert from "node:assert/strict";
import { Dealer } from "zeromq";
import { FRAME_VERSION } from "../../../ts/controller/frame-sender.js";
import type { TaskNews } from "../../../ts/controller/tasks/execution.js";
import { sha256 } from "../../../ts/core/hash.js";
import { encodeManifest } from "../../../ts/data/manifest.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { ShardHeader, ShardReply } from "../../../ts/gen/cassl/v1/prediction_frame.js";
import { PredictTask } from "../../../ts/gen/cassl/v1/task.js";
import { readPredictions } from "../../../ts/labels/predictions.js";
import { readMetadata } from "../../../ts/parquet/index.js";
import { attachWorker, type FakeWorker } from "./fake-worker.js";
import { openWorkbench, type Workbench } from "./workbench.js";

const IMAGES = 5;
const SHARD_SIZE = 2;
const ATTEMPT = { task_id: "p", attempt: 1 };

interface Boxes {
  readonly images: number[];
  readonly perImage: number[];
  readonly boxes: number[];
  readonly scores: number[];
  readonly classes: number[];
}

/** Two boxes in the first image of a shard, one in each other. */
const shardBoxes = (shard: number): Boxes => {
  const images = [0, 1].map((row) => shard * SHARD_SIZE + row).filter((image) => image < IMAGES);
  const perImage = images.map((_, row) => (row === 0 ? 2 : 1));
  const count = perImage.reduce((sum, boxes) => sum + boxes, 0);
  const each = Array.from({ length: count }, (_, index) => index);
  return {
    images,
    perImage,
    boxes: each.flatMap((n) => [n, n, n + 4, n + 4]),
    scores: each.map(() => 0.5),
    classes: each.map(() => 0),
  };
};

const encode = ({ images, perImage, boxes, scores, classes }: Boxes): Uint8Array =>
  Buffer.concat(
    [
      Int32Array.from(images),
      Int32Array.from(perImage),
      Float32Array.from(boxes),
      Float32Array.from(scores),
      Int32Array.from(classes),
    ].map((column) => Buffer.from(column.buffer)),
  );

describe("prediction frames", () => {
  let bench: Workbench;
  let dealer: Dealer;
  let worker: FakeWorker;
  let task: PredictTask;
  let output: Promise<unknown>;
  let token: Uint8Array;
  let events: TaskNews[];

  beforeEach(async () => {
    bench = await openWorkbench();
    const images = Array.from({ length: IMAGES }, (_, index) => ({
      id: index + 1,
      file_name: `${index}.jpg`,
      sha256: "0".repeat(64),
      width_px: 10,
      height_px: 10,
      annotations: [],
    }));
    const dataset = await bench.artifacts.put(encodeManifest({ categories: [{ id: 1, name: "object" }], images }));
    const partial = {
      detector: { family: "light" },
      weights: "abc",
      class_count: 2,
      dataset: dataset.sha256,
      predict: { shard_size: SHARD_SIZE, max_detections: 2 },
    };
    task = PredictTask.fromPartial(partial);
    bench.state.nextAttempt("p");
    worker = attachWorker(bench.address, { held: [{ task_attempt: ATTEMPT, shards: [0, 1, 2] }] });
    ({ frames_token: token } = await worker.next("welcome"));
    events = [];
    const signal = new AbortController().signal;
    const request = { taskId: "p", task: { kind: { $case: "predict" as const, value: task } }, imageRoot: "" };
    output = bench.pool.tasks.submit({ ...request, imageCount: IMAGES }, (event) => events.push(event), signal);
    output.catch(() => {});
    dealer = new Dealer({ linger: 0 });
    dealer.connect(bench.framesEndpoint);
  });
  afterEach(async () => {
    dealer.close();
    await bench.close();
  });

  async function exchange(parts: Uint8Array[]): Promise<ShardReply> {
    await dealer.send(parts);
    const [reply] = await dealer.receive();
    return ShardReply.decode(reply as Buffer);
  }

  function header(shard: number, payload: Uint8Array, changes: Partial<ShardHeader> = {}): Uint8Array {
    const { images, scores } = shardBoxes(shard);
    const counts = { image_count: images.length, box_count: scores.length };
    const whole = { version: FRAME_VERSION, token, ...ATTEMPT, shard, ...counts, sha256: sha256(payload), ...changes };
    return ShardHeader.encode(whole).finish();
  }

  const sendShard = (
    shard: number,
    changes: Partial<ShardHeader> = {},
    boxes = shardBoxes(shard),
  ): Promise<ShardReply> => {
    const payload = encode(boxes);
    return exchange([header(shard, payload, changes), payload]);
  };

  const isRefused = (
    { error }: ShardReply,
    message: RegExp,
    reason: Exclude<keyof typeof ErrorReason, "UNSPECIFIED"> = "FRAME_INVALID",
  ): void => {
    assert.equal(error?.reason, ErrorReason[reason]);
    assert.match(error?.message ?? "", message);
    assert.deepEqual(bench.state.shardsOf("p"), []);
    assert.ok((bench.tally.total.refused[reason] ?? 0) > 0, "a refused frame is not counted");
  };

  it("commits shards in any order, and the account of the finished task is whole", async () => {
    for (const shard of [2, 0, 1]) assert.deepEqual(await sendShard(shard), { task_id: "p", shard, error: undefined });
    await output;
    const { manifest, parts, ...account } = await bench.shards.settle("p", task);
    assert.deepEqual(account, { images_in: IMAGES, images_committed: IMAGES, shards: 3, boxes: 8 });
    const { dataset, shards } = JSON.parse(Buffer.from(await bench.artifacts.read(manifest.sha256)).toString());
    assert.equal(dataset, task.dataset);
    assert.deepEqual(
      parts,
      shards.map(({ sha256 }: { sha256: string }) => ({ sha256 })),
    );
    assert.deepEqual(
      shards.map((entry: { shard: number; image_count: number; box_count: number }) => [
        entry.shard,
        entry.image_count,
        entry.box_count,
      ]),
      [
        [0, 2, 3],
        [1, 2, 3],
        [2, 1, 2],
      ],
    );
    const stored = [];
    for await (const { imageIndex, boxXyxy, score } of readPredictions(
      { sha256: manifest.sha256, size_bytes: 0 },
      IMAGES,
      bench.artifacts,
    ))
      stored.push([imageIndex, [...boxXyxy], [...score]]);
    const [first, second] = [
      [0, 0, 4, 4],
      [1, 1, 5, 5],
    ];
    const whole = (image: number) => [
      [image, [...first, ...second], [0.5, 0.5]],
      [image + 1, [2, 2, 6, 6], [0.5]],
    ];
    assert.deepEqual(stored, [...whole(0), ...whole(2), [4, [...first, ...second], [0.5, 0.5]]]);
    const { metadata } = await readMetadata(await bench.artifacts.path(shards[2].sha256));
    assert.deepEqual([metadata.get("cassl.model"), metadata.get("cassl.shard")], [task.weights, "2"]);
    assert.deepEqual(bench.tally.ofTask("p"), { committed: 3, repeated: 0, refused: {} });
    assert.deepEqual((await worker.next("cancel")).task_attempt, ATTEMPT, "the worker is at a task that is done");
  });

  it("acknowledges a repeated shard without committing it twice", async () => {
    await sendShard(0);
    assert.deepEqual(await sendShard(0), { task_id: "p", shard: 0, error: undefined });
    assert.equal(bench.state.shardsOf("p").length, 1);
    assert.deepEqual(bench.pool.list()[0]?.frames, { committed: 1, repeated: 1, refused: {} });
  });

  it("commits a shard once whose controller was killed between storing and recording, or recording and answering", async () => {
    await sendShard(0);
    const [recorded] = bench.state.shardsOf("p");
    bench.state.removeShard("p", 0); // Stored, not recorded.
    assert.equal((await sendShard(0)).error, undefined);
    assert.equal((await sendShard(0)).error, undefined, "recorded, the answer lost");
    assert.deepEqual(bench.state.shardsOf("p"), [recorded]);
  });

  it("stores equal shards as equal files", async () => {
    await sendShard(1);
    const [first] = bench.state.shardsOf("p");
    bench.state.removeShard("p", 1);
    await sendShard(1);
    assert.deepEqual(bench.state.shardsOf("p"), [first]);
  });

  it("refuses masks that nobody asked for", async () => {
    const payload = Buffer.concat([encode(shardBoxes(2)), Buffer.from(Int32Array.of(1, 1).buffer), Buffer.from("00")]);
    isRefused(await exchange([header(2, payload, { mask_bytes: 2 }), payload]), /with masks/);
  });

  it("says which shard of a task that claims to be done is missing", async () => {
    await sendShard(0);
    await sendShard(2);
    await assert.rejects(bench.shards.settle("p", task), {
      reason: "INTERNAL",
      message: /shard 1 is missing or wrong: 2 of 3/,
    });
  });

  it("refuses a payload with another hash", async () => {
    isRefused(await sendShard(0, { sha256: "0".repeat(64) }), /hash/);
  });

  it("refuses a truncated payload", async () => {
    const payload = encode(shardBoxes(0)).subarray(0, 40);
    isRefused(await exchange([header(0, payload), payload]), /40 bytes/);
  });

  it("refuses an unknown task and a stale attempt", async () => {
    isRefused(await sendShard(0, { task_id: "unknown" }), /unknown is not under way/, "LEASE_ENDED");
    isRefused(await sendShard(0, { attempt: 2 }), /attempt 2/, "LEASE_ENDED");
  });

  it("refuses an unknown worker, and one that has no lease of the shard", async () => {
    isRefused(await sendShard(0, { token: Buffer.alloc(16) }), /no attached worker/, "WORKER_UNKNOWN");
    const other = await attachWorker(bench.address).next("welcome");
    isRefused(await sendShard(0, { token: other.frames_token }), /attempt 1/, "LEASE_ENDED");
  });

  it("refuses a frame of another version before anything else", async () => {
    isRefused(await sendShard(0, { version: 1, token: Buffer.alloc(0) }), /version 1, not 2/, "VERSION_MISMATCH");
  });

  it("says the first refusal of a kind to the run, and counts all", async () => {
    for (let frame = 0; frame < 3; frame++) await sendShard(0, { sha256: "0".repeat(64) });
    await sendShard(0);
    const logs = events.flatMap((event) => (event.$case === "log" ? [event.value.text] : []));
    assert.equal(logs.length, 1);
    assert.match(logs[0] ?? "", /hash.*only counted/);
    assert.deepEqual(bench.tally.ofTask("p"), { committed: 1, repeated: 0, refused: { FRAME_INVALID: 3 } });
  });

  it("leaves a frame unanswered whose task may yet be submitted", async () => {
    bench.state.nextAttempt("later");
    const held = [{ task_attempt: { task_id: "later", attempt: 1 }, shards: [0] }];
    const other = await attachWorker(bench.address, { held }).next("welcome");
    const payload = encode(shardBoxes(0));
    await dealer.send([header(0, payload, { token: other.frames_token, task_id: "later" }), payload]);
    assert.equal((await sendShard(1)).shard, 1, "the next reply is that to the next frame");
    assert.deepEqual(bench.tally.total.refused, {});
  });

  it("refuses a shard that the dataset does not have, and one of the wrong size", async () => {
    isRefused(await sendShard(3, { image_count: 1 }), /no lease of it/);
    isRefused(await sendShard(-1), /no lease of it/);
    isRefused(await sendShard(0, { image_count: 1 }), /2 are due/);
  });

  const damaged: Record<string, [Partial<Boxes>, RegExp]> = {
    "images of another shard": [{ images: [2, 3] }, /image 2 where image 0/],
    "images out of order": [{ images: [1, 0] }, /image index 0/],
    "counts that do not sum up": [{ perImage: [1, 1] }, /counts 2 boxes/],
    "a box outside its image": [
      { boxes: [9, 0, 13, 4, 0, 0, 1, 1, 0, 0, 1, 1] },
      /\[9, 0, 13, 4\] is not inside image 0/,
    ],
    "a box without area": [{ boxes: [0, 0, 0, 4, 0, 0, 1, 1, 0, 0, 1, 1] }, /not inside/],
    "a box that is not finite": [{ boxes: [Number.NaN, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1] }, /not finite/],
    "a score above 1": [{ scores: [1.5, 0, 0] }, /score 1\.5/],
    "a class beyond the last": [{ classes: [0, 2, 0] }, /class 2 of 2/],
  };
  for (const [name, [change, message]] of Object.entries(damaged)) {
    it(`refuses ${name}`, async () => {
      isRefused(await sendShard(0, {}, { ...shardBoxes(0), ...change }), message);
    });
  }

  it("refuses more boxes in an image than the task asks for", async () => {
    const crowded = { perImage: [3, 0] };
    isRefused(await sendShard(0, {}, { ...shardBoxes(0), ...crowded }), /3 boxes in an image, of 2/);
  });

  it("answers what is no frame at all, and goes on", async () => {
    isRefused(await exchange([Buffer.from("one part")]), /1 parts/);
    isRefused(await exchange([Buffer.from([0xff, 0xff]), Buffer.alloc(0)]), /header/);
    assert.equal((await sendShard(0)).error, undefined);
  });

  it("takes the rest from another worker after the first has left", async () => {
    await sendShard(0);
    worker.leave();
    const other = attachWorker(bench.address);
    const welcome = await other.next("welcome");
    const lease = await other.next("lease");
    assert.deepEqual(lease.shards, [1]);
    assert.match((await sendShard(1)).error?.message ?? "", /no attached worker/);
    assert.equal((await sendShard(1, { attempt: 2, token: welcome.frames_token })).error, undefined);
  });
});
