/** The thread of `search.ts`: does one search and answers with its result. */
import { parentPort, workerData } from "node:worker_threads";
import { findCopyCandidates } from "./candidates.js";
import type { SearchRequest, SearchResult } from "./search.js";
import { seriesByName, seriesByPicture } from "./series.js";

function answer(request: SearchRequest): SearchResult {
  const { pictures } = request;
  switch (request.kind) {
    case "copies":
      return findCopyCandidates(pictures, request.suspects, request.originals, request.cropped);
    case "alike":
      return seriesByPicture(pictures, request.positions, request.mask);
    case "neighbours":
      return seriesByName(pictures, request.positions, request.names);
  }
}

parentPort?.postMessage(answer(workerData as SearchRequest));
