/** The thread of `search.ts`: does one search and answers with its result. */
import { answerThread } from "../../core/thread.js";
import { findCopyCandidates } from "./candidates.js";
import type { SearchRequest, SearchResult } from "./search.js";
import { seriesByName, seriesByPicture } from "./series.js";

async function search(request: SearchRequest): Promise<SearchResult> {
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

await answerThread(search);
