/** A process that attaches like a worker, and dies of its first task. Started by child-workers.test.ts in place of Python. */
import { hostname } from "node:os";
import { attachWorker } from "./fake-worker.js";

const address = process.argv[process.argv.indexOf("--controller") + 1] ?? "";
const worker = attachWorker(address, { pid: process.pid, host: hostname() });
await worker.next("lease");
console.error("cannot allocate 12 GiB");
process.exit(7);
