/** A thread of `evaluations.ts`. */
import { answerThread } from "../../core/thread.js";
import { evaluateStored } from "./evaluated.js";

await answerThread(evaluateStored);
