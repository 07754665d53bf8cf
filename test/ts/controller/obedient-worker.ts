/** A process that attaches like a worker, and leaves when it is told to. Started by child-workers.test.ts in place of Python. */
import { hostname } from "node:os";
import { attachWorker } from "./fake-worker.js";

const address = process.argv[process.argv.indexOf("--controller") + 1] ?? "";
const worker = attachWorker(address, { pid: process.pid, host: hostname() });
await worker.next("drain");
worker.leave();
await worker.ended;
process.exit(0);
