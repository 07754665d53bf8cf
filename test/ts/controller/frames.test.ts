import assert from "node:assert/strict";
import { Dealer } from "zeromq";
import { sha256 } from "../../../ts/core/hash.js";
import { encodeManifest } from "../../../ts/data/manifest.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { ShardHeader, ShardReply } from "../../../ts/gen/cassl/v1/prediction_frame.js";
import { PredictTask } from "../../../ts/gen/cassl/v1/task.js";
import type { Lease } from "../../../ts/gen/cassl/v1/worker_service.js";
import { readPredictions } from "../../../ts/labels/predictions.js";
import { readMetadata } from "../../../ts/parquet/index.js";
import { attachWorker, type FakeWorker } from "./fake-worker.js";
import { openWorkbench, type Workbench } from "./workbench.js";

const IMAGES = 5;
const SHARD_SIZE = 2;

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
  let lease: Lease;
  let task: PredictTask;
  let output: Promise<unknown>;

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
      predict: { shard_size: SHARD_SIZE },
    };
    task = PredictTask.fromPartial(partial);
    const signal = new AbortController().signal;
    output = bench.pool.tasks.submit("p", { kind: { $case: "predict", value: task } }, "", () => {}, signal);
    output.catch(() => {});
    worker = attachWorker(bench.address);
    const { frames_endpoint } = await worker.next("welcome");
    lease = await worker.next("lease");
    dealer = new Dealer({ linger: 0 });
    dealer.connect(frames_endpoint);
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
    const whole = { task_id: "p", attempt: 1, shard, ...counts, sha256: sha256(payload), ...changes };
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

  const isRefused = ({ error }: ShardReply, message: RegExp): void => {
    assert.equal(error?.reason, ErrorReason.FRAME_INVALID);
    assert.match(error?.message ?? "", message);
    assert.deepEqual(bench.state.shardsOf("p"), []);
  };

  it("commits shards in any order, and the finished task leaves their manifest", async () => {
    for (const shard of [2, 0, 1]) assert.deepEqual(await sendShard(shard), { task_id: "p", shard, error: undefined });
    worker.succeed(lease, { $case: "predict", value: { image_count: IMAGES, box_count: 8 } });
    await output;
    const { sha256: manifest } = await bench.shards.manifest("p", task);
    const { dataset, shards } = JSON.parse(Buffer.from(await bench.artifacts.read(manifest)).toString());
    assert.equal(dataset, task.dataset);
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
      { sha256: manifest, size_bytes: 0 },
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
  });

  it("acknowledges a repeated shard without committing it twice", async () => {
    await sendShard(0);
    assert.deepEqual(await sendShard(0), { task_id: "p", shard: 0, error: undefined });
    assert.equal(bench.state.shardsOf("p").length, 1);
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
    await assert.rejects(bench.shards.manifest("p", task), {
      reason: "INTERNAL",
      message: /shard 1 is missing: 2 of 3/,
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
    isRefused(await sendShard(0, { task_id: "unknown" }), /unknown is not under way/);
    isRefused(await sendShard(0, { attempt: 0 }), /attempt 0/);
  });

  it("refuses a shard that the dataset does not have, and one of the wrong size", async () => {
    isRefused(await sendShard(3, { image_count: 1 }), /no such shard/);
    isRefused(await sendShard(-1), /no such shard/);
    isRefused(await sendShard(0, { image_count: 1 }), /2 are due/);
  });

  const damaged: Record<string, [Partial<Boxes>, RegExp]> = {
    "images of another shard": [{ images: [2, 3] }, /image 2 where image 0/],
    "images out of order": [{ images: [1, 0] }, /image index 0/],
    "counts that do not sum up": [{ perImage: [1, 1] }, /counts 2 boxes/],
    "a box that is not finite": [{ boxes: [Number.NaN, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1] }, /not finite/],
    "a score above 1": [{ scores: [1.5, 0, 0] }, /score 1\.5/],
    "a class beyond the last": [{ classes: [0, 2, 0] }, /class 2 of 2/],
  };
  for (const [name, [change, message]] of Object.entries(damaged)) {
    it(`refuses ${name}`, async () => {
      isRefused(await sendShard(0, {}, { ...shardBoxes(0), ...change }), message);
    });
  }

  it("answers what is no frame at all, and goes on", async () => {
    isRefused(await exchange([Buffer.from("one part")]), /1 parts/);
    isRefused(await exchange([Buffer.from([0xff, 0xff]), Buffer.alloc(0)]), /header/);
    assert.equal((await sendShard(0)).error, undefined);
  });

  it("takes a shard of the next attempt after the worker was lost", async () => {
    await sendShard(0);
    worker.die();
    worker = attachWorker(bench.address);
    lease = await worker.next("lease");
    assert.deepEqual(lease.committed_shards, [0]);
    assert.match((await sendShard(1)).error?.message ?? "", /attempt 1/);
    assert.equal((await sendShard(1, { attempt: 2 })).error, undefined);
  });
});
