/**
 * Prediction frames of the data plane, ZeroMQ, against the same bytes over gRPC: header and payload from one process to another on
 * this machine, each answered, as many under way as a worker's credits allow. Nothing is stored on either side.
 */
import { middlePair } from "./measure.mjs";
import { startScript } from "./script-process.mjs";

const ENDS = "transport-ends.mjs";
/** About 100 boxes, a shard of 32 images with 100 boxes each, and one of masks. */
const PAYLOADS = [
  { name: "2.4 KB", bytes: 2_400, frames: 20_000 },
  { name: "77 KB", bytes: 76_800, frames: 10_000 },
  { name: "1 MB", bytes: 1_000_000, frames: 2_000 },
];
const QUICK_SHARE = 0.1;

export async function compare({ rounds, quick }) {
  const results = [];
  for (const { name, bytes, frames } of PAYLOADS) {
    const count = quick ? frames * QUICK_SHARE : frames;
    const pairs = [];
    for (let round = 0; round < rounds; round++) {
      const [ours, reference] = [await send("zeromq", bytes, count), await send("grpc", bytes, count)];
      pairs.push({ ours, reference, ratio: reference.seconds / ours.seconds });
      console.log(`${name}: ZeroMQ ${rate(ours)}, gRPC ${rate(reference)}, ratio ${pairs.at(-1).ratio.toFixed(2)}`);
    }
    const { ours, reference, ratio } = middlePair(pairs);
    results.push({ case: `frames of ${name}`, ours, reference: { name: "gRPC stream", ...reference }, ratio });
  }
  return results;
}

/** The seconds from the first frame to the last answer, and the peak of the receiving process. */
async function send(transport, bytes, frames) {
  const receiver = startScript(ENDS, [transport, "receive"]);
  try {
    const endpoint = await receiver.nextLine();
    const sender = startScript(ENDS, [transport, "send", endpoint, bytes, frames]);
    const seconds = Number(await sender.nextLine());
    receiver.child.kill("SIGTERM");
    const peak_mb = Number(await receiver.nextLine());
    return { seconds, peak_mb, value: frames / seconds, unit: "frames/s" };
  } finally {
    receiver.child.kill("SIGKILL");
  }
}

function rate({ value }) {
  return `${value.toFixed(0)} frames/s`;
}
