/** The thread of `judge-in-thread.ts`. What it throws reaches whoever waits. */
import { parentPort, workerData } from "node:worker_threads";
import { type JudgeRequest, judgeDetections } from "./judge-detections.js";

parentPort?.postMessage(await judgeDetections(workerData as JudgeRequest));
