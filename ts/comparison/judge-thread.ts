/** The thread of `judge-in-thread.ts`. */
import { answerThread } from "../core/thread.js";
import { judgeDetections } from "./judge-detections.js";

await answerThread(judgeDetections);
