/** The thread of `search.ts`: does one search and answers with its result. */
import { parentPort, workerData } from "node:worker_threads";
import { findCopyCandidates } from "./candidates.js";
import type { SearchRequest, SearchResult } from "./search.js";
import { findSeries } from "./series.js";

function answer(request: SearchRequest): SearchResult {
  const { pictures } = request;
  return request.kind === "copies"
    ? findCopyCandidates(pictures, request.suspects, request.originals)
    : findSeries(pictures, request.positions, request.names);
}

parentPort?.postMessage(answer(workerData as SearchRequest));
