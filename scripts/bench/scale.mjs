/**
 * The data plane at the size of the paper's unlabeled set: a controller, and in a second process labellers that sleep in
 * place of computing. All else is real: their gRPC streams and leases, prediction frames over ZeroMQ, the ledger, and the
 * Parquet file of each shard. It says whether one controller keeps up with a fleet, and what that takes of it.
 */
import { once } from "node:events";
import { ScriptError } from "../tools.mjs";
import { startScript } from "./script-process.mjs";

const SHARD_SIZE = 64;

/**
 * @param rate images a second of each labeller.
 * @param boxes of each image.
 * @param seconds after which a prediction is left unfinished; its rates are told all the same.
 */
export async function compare({
  rounds,
  quick,
  images = quick ? 3840 : 3_600_000,
  labellers = quick ? 8 : 100,
  rate = 60,
  boxes = 100,
  seconds: most = 86_400,
}) {
  if (images % SHARD_SIZE !== 0) throw new ScriptError(`--images takes a multiple of ${SHARD_SIZE}.`);
  const fleet = { images, labellers, rate, boxes, most };
  const results = [];
  for (let round = 0; round < rounds; round++) results.push(await label(fleet));
  results.sort((a, b) => a.images_committed / a.seconds - b.images_committed / b.seconds);
  const { seconds, peak_mb, images_committed } = results[Math.floor(results.length / 2)];
  const unit = "images/s";
  const ours = { seconds, peak_mb, value: images_committed / seconds, unit };
  const reference = { name: "what the labellers could do", value: labellers * rate, unit };
  return [{ case: `${labellers} labellers, ${images} images`, ours, reference, ratio: ours.value / reference.value }];
}

async function label(fleet) {
  const { images, labellers, rate, boxes, most } = fleet;
  const controller = startScript("scale-controller.mjs", [images, boxes, most]);
  const address = await controller.nextLine();
  const workers = startScript("scale-labellers.mjs", [address, labellers, rate, boxes]);
  try {
    await workers.nextLine();
    controller.child.stdin.write("begin\n");
    const result = JSON.parse(await controller.nextLine());
    print(fleet, result);
    if (result.is_done && result.images_committed !== images)
      throw new ScriptError("The account does not have every image once.");
    return result;
  } finally {
    workers.child.kill("SIGKILL");
    controller.child.kill("SIGTERM");
    await once(controller.child, "exit");
  }
}

function print({ images, labellers, rate, boxes }, found) {
  const { seconds, preparation_seconds, cpu_seconds, wire_bytes, stored_bytes, manifest_bytes } = found;
  const { images_committed, shards, repeated, refused, leases, loop_delay_ms, peak_mb } = found;
  const mb = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  const ms = (value) => `${value.toFixed(0)} ms`;
  const speed = images_committed / seconds;
  const rest = found.is_done
    ? "all of them"
    : `stopped before its end; at this rate all would take ${(images / speed / 3600).toFixed(1)} h`;
  const share = `${((100 * cpu_seconds) / seconds).toFixed(0)} % of a core`;
  const each = `${((1000 * cpu_seconds) / shards).toFixed(1)} ms a shard`;
  console.log(
    [
      `${labellers} labellers of ${rate} images/s; ${images} images, ${boxes} boxes each; manifest ${mb(manifest_bytes)}`,
      `  ${images_committed} images in ${seconds.toFixed(0)} s, ${speed.toFixed(0)} images/s of ${labellers * rate}; ${rest}`,
      `  ${shards} shards committed, ${repeated} frames again, ${refused} refused, ${leases} leases`,
      `  frames ${mb(wire_bytes)}, ${mb(wire_bytes / seconds)}/s; Parquet ${mb(stored_bytes)}`,
      `  controller: ${share}, ${each}, peak ${mb(1e6 * peak_mb)}; ${preparation_seconds.toFixed(1)} s before the first lease`,
      `  its event loop is late by p50 ${ms(loop_delay_ms.p50)}, p99 ${ms(loop_delay_ms.p99)}, most ${ms(loop_delay_ms.most)}`,
    ].join("\n"),
  );
}
