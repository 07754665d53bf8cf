/** A thread of `select-threads.ts`: answers each request with its selection, or with the error that it failed with. */
import { parentPort } from "node:worker_threads";
import { toErrorDetail } from "../core/errors.js";
import { type GroupRequest, selectGroup } from "./select-group.js";

parentPort?.on("message", (request: GroupRequest) => void answer(request));

async function answer(request: GroupRequest): Promise<void> {
  try {
    const selection = await selectGroup(request);
    const { mask: _, ...columns } = selection.labels;
    const buffers = Object.values(columns).map(({ buffer }) => buffer);
    parentPort?.postMessage({ selection }, buffers);
  } catch (error) {
    parentPort?.postMessage({ error: toErrorDetail(error) });
  }
}
