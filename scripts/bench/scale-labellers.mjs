/**
 * Labellers that sleep in place of computing, each with a gRPC stream and a ZeroMQ socket of its own. Started by scale.mjs.
 *
 *     node scripts/bench/scale-labellers.mjs ADDRESS LABELLERS RATE BOXES
 *
 * Prints a line when all are attached, then works until it is killed. A labeller does as worker-py does: credits bound
 * what is under way, a shard that is not answered is sent again, and its speed is told after each shard.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { credentials } from "@grpc/grpc-js";
import { Dealer } from "zeromq";
import { version } from "../../dist/ts/core/package.js";
import { ErrorReason } from "../../dist/ts/gen/cassl/v1/error_reason.js";
import { ShardHeader, ShardReply } from "../../dist/ts/gen/cassl/v1/prediction_frame.js";
import { WorkerServiceClient } from "../../dist/ts/gen/cassl/v1/worker_service.js";

const [address, ...numbers] = process.argv.slice(2);
const [labellers, rate, boxes] = numbers.map(Number);
const FRAME_VERSION = 2;
const RESEND_MS = 5000;
const SIZE_PX = [640, 480];
const ATTACHING_AT_ONCE = 20;
const CANCELLED = {
  reason: ErrorReason.ERROR_REASON_CANCELLED,
  message: "The task was cancelled.",
  remedy: "",
  trace: "",
};

/** @type {Map<number, Buffer>} Payloads by number of images, but for the column of their positions. */
const templates = new Map();

function templateOf(imageCount) {
  const known = templates.get(imageCount);
  if (known !== undefined) return known;
  const payload = Buffer.alloc(imageCount * (8 + 24 * boxes));
  const counts = new Int32Array(payload.buffer, payload.byteOffset + 4 * imageCount, imageCount);
  const floats = new Float32Array(payload.buffer, payload.byteOffset + 8 * imageCount, 5 * imageCount * boxes);
  counts.fill(boxes);
  for (let box = 0; box < imageCount * boxes; box++) {
    const corners = SIZE_PX.map((side) => [0.8 * side * Math.random(), 8 + 0.18 * side * Math.random()]);
    const [[x, width], [y, height]] = corners;
    floats.set([x, y, x + width, y + height], 4 * box);
    floats[4 * imageCount * boxes + box] = 1 - (0.95 * (box % boxes)) / boxes;
  }
  templates.set(imageCount, payload);
  return payload;
}

/** The frame of a shard: its header without what changes when it is sent, and its payload. */
function frameOf(task, attempt, shard, imageCount) {
  const payload = Buffer.from(templateOf(imageCount));
  const first = shard * task.predict.shard_size;
  new Int32Array(payload.buffer, payload.byteOffset, imageCount).forEach((_, row, column) => {
    column[row] = first + row;
  });
  const sha256 = createHash("sha256").update(payload).digest("hex");
  const header = {
    ...attempt,
    shard,
    image_count: imageCount,
    box_count: imageCount * boxes,
    sha256,
    version: FRAME_VERSION,
  };
  return { header, payload };
}

async function attach(name) {
  const client = new WorkerServiceClient(address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const call = client.attach();
  const send = ($case, value) => call.write({ message: { $case, value } });
  const dealer = new Dealer({ linger: 0 });
  const pending = new Map();
  let running = Promise.resolve();
  let token;
  /** Why the lease under way has ended before its time: others were faster, or the task was cancelled. */
  let refusal;

  async function transmit(entry) {
    entry.sentAt = performance.now();
    const header = ShardHeader.encode(ShardHeader.fromPartial({ ...entry.header, token })).finish();
    await dealer.send([header, entry.payload]);
  }

  async function takeReplies() {
    for await (const [bytes] of dealer) {
      const { shard, error } = ShardReply.decode(bytes);
      // Else it answers the repetition of a frame that was answered before.
      if (pending.delete(shard) && error !== undefined) refusal = error;
    }
  }

  /** Until no more than so many bytes are unanswered. */
  async function drain(mostBytes) {
    while ([...pending.values()].reduce((sum, { payload }) => sum + payload.length, 0) > mostBytes) {
      if (refusal !== undefined) return pending.clear();
      await sleep(5);
      for (const entry of pending.values()) if (performance.now() - entry.sentAt > RESEND_MS) await transmit(entry);
    }
  }

  async function label({ task_attempt, task: { kind }, shards, credit_bytes }) {
    const since = performance.now();
    const task = kind.value;
    const imageCount = task.predict.shard_size;
    let done = 0;
    refusal = undefined;
    for (const shard of shards) {
      await sleep((1000 * imageCount) / rate);
      const entry = frameOf(task, task_attempt, shard, imageCount);
      await drain(Math.max(0, credit_bytes - entry.payload.length));
      if (refusal !== undefined) break;
      pending.set(shard, entry);
      await transmit(entry);
      done += imageCount;
      const images_per_second = (1000 * done) / (performance.now() - since);
      const progress = { images_done: done, total_images: shards.length * imageCount, images_per_second };
      send("event", { task_attempt, event: { $case: "predict_progress", value: progress } });
    }
    await drain(0);
    const output = { kind: { $case: "predict", value: { image_count: done, box_count: done * boxes } } };
    const result = refusal === undefined ? { $case: "output", value: output } : { $case: "error", value: refusal };
    send("result", { task_attempt, result });
  }

  const register = { devices: ["cpu"], families: ["light"], backends: ["torch"], gpus: [], held: [], versions: {} };
  send("register", { name, version, pid: 0, host: "scale", memory_bytes: 0, instance: name, ...register });
  await new Promise((resolve, reject) => {
    call.on("error", reject);
    call.on("data", ({ message: { $case, value } }) => {
      if ($case === "lease") running = running.then(() => label(value));
      if ($case === "cancel") refusal = CANCELLED;
      if ($case !== "welcome") return;
      token = value.frames_token;
      dealer.connect(value.frames_endpoint);
      setInterval(() => send("heartbeat", {}), 1000 * value.heartbeat_seconds);
      resolve();
    });
  });
  void takeReplies();
}

for (let first = 0; first < labellers; first += ATTACHING_AT_ONCE) {
  const count = Math.min(ATTACHING_AT_ONCE, labellers - first);
  await Promise.all(Array.from({ length: count }, (_, index) => attach(`labeller-${first + index}`)));
}
console.log("attached");
