/**
 * Workers and watchers that are nothing but their gRPC streams, one connection for each worker. Started by fleet.mjs.
 *
 *     node scripts/bench/fleet-workers.mjs ADDRESS WORKERS WATCHERS TASKS OUTSTANDING
 *
 * Prints JSON: seconds, tasks, doubled, lost, latency_ms { p50, p99, most }, events that each watcher has seen.
 */
import { credentials } from "@grpc/grpc-js";
import { CasslClient } from "../../dist/ts/client/client.js";
import { version } from "../../dist/ts/core/package.js";
import { WorkerServiceClient } from "../../dist/ts/gen/cassl/v1/worker_service.js";
import { parseConfig } from "../../dist/ts/pipeline/config.js";
import { monotonicMs } from "./monotonic.mjs";

const [address, ...numbers] = process.argv.slice(2);
const [workers, watchers, tasks, outstanding] = numbers.map(Number);
const RUN = "fleet";
const HEARTBEAT_MS = 5000;
const weights = { sha256: "a".repeat(64), size_bytes: 1 };
const trained = { $case: "train", value: { weights, iterations: 1, transplant_ledger: undefined } };

/** Leases by task, and how long each task had been ready. */
const leased = new Map();
const latencies = [];

function attach(name) {
  // A connection of its own, as a process elsewhere has.
  const client = new WorkerServiceClient(address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const call = client.attach();
  const register = {
    name,
    version,
    pid: 0,
    host: "fleet",
    devices: ["cpu"],
    families: ["light"],
    backends: ["torch"],
    memory_bytes: 0,
    versions: {},
    gpus: [],
    instance: name,
    held: [],
  };
  call.write({ message: { $case: "register", value: register } });
  const beats = setInterval(() => call.write({ message: { $case: "heartbeat", value: {} } }), HEARTBEAT_MS);
  const welcomed = new Promise((resolve, reject) => {
    call.on("error", reject);
    call.on("data", ({ message }) => {
      if (message.$case === "welcome") resolve();
      if (message.$case === "lease") finish(call, message.value);
    });
  });
  const leave = () => {
    clearInterval(beats);
    call.cancel();
    client.close();
  };
  return { welcomed, leave };
}

function finish(call, { task_attempt, image_root }) {
  latencies.push(monotonicMs() - Number(image_root));
  leased.set(task_attempt.task_id, (leased.get(task_attempt.task_id) ?? 0) + 1);
  call.write({
    message: { $case: "result", value: { task_attempt, result: { $case: "output", value: { kind: trained } } } },
  });
}

async function watch(client) {
  let events = 0;
  for await (const _ of client.watchRun(RUN)) events++;
  return events;
}

const config = parseConfig({
  name: `${tasks}-${outstanding}`,
  arms: ["supervised"],
  data: { labeled: { annotations: "/a", images: "/a" }, validation: { annotations: "/a", images: "/a" } },
});
const fleet = Array.from({ length: workers }, (_, index) => attach(`worker-${index}`));
await Promise.all(fleet.map(({ welcomed }) => welcomed));
const client = new CasslClient(address);
const began = monotonicMs();
await client.createRun(RUN, config);
const eyes = Array.from({ length: watchers }, () => new CasslClient(address));
const seen = await Promise.all(eyes.map(watch));
const seconds = (monotonicMs() - began) / 1000;
const { error } = await client.getRun(RUN);
latencies.sort((a, b) => a - b);
const quantile = (share) => latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))];
const result = {
  seconds,
  tasks: leased.size,
  doubled: [...leased.values()].filter((count) => count > 1).length,
  lost: tasks - leased.size,
  error: error?.message,
  latency_ms: { p50: quantile(0.5), p99: quantile(0.99), most: latencies.at(-1) },
  events: { fewest: Math.min(...seen), most: Math.max(...seen) },
};
console.log(JSON.stringify(result));
for (const { leave } of fleet) leave();
process.exit(0);
