/** Pages of runs. A page token is the position to go on from, and the filter that it belongs to. */
import { CasslError } from "../core/errors.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import type { ListRunsRequest, ListRunsResponse } from "../gen/cassl/v1/controller_service.js";
import { Run, State } from "../gen/cassl/v1/run.js";
import type { ListedRun, RunQuery } from "./state.js";

const DEFAULT_PAGE = 100;
const MOST_PER_PAGE = 1000;
/** A page is cut here, well below what a message may have. */
const MOST_BYTES = 4 * 2 ** 20;
const STATES: ReadonlySet<number> = new Set(Object.values(State).filter((state) => state !== State.UNSPECIFIED));

/** REQUEST_INVALID names the field. */
export function pageOfRuns(request: ListRunsRequest, list: (query: RunQuery) => ListedRun[]): ListRunsResponse {
  const { states, name, page_size, page_token } = request;
  const unknown = states.find((state) => !STATES.has(state));
  if (unknown !== undefined) throw invalid("states", unknown, "Name states of cassl.v1.State.");
  if (page_size < 0) throw invalid("page_size", page_size, "Give 0 for the usual size, or a positive number.");

  const filter = sha256(canonicalJson({ states, name })).slice(0, 16);
  const limit = Math.min(page_size || DEFAULT_PAGE, MOST_PER_PAGE);
  const before = page_token === "" ? Number.MAX_SAFE_INTEGER : positionOf(page_token, filter);
  const found = list({ states, name, before, limit: limit + 1 });
  const shown = found.slice(0, Math.min(limit, countWithin(found, MOST_BYTES)));
  const last = shown.at(-1);
  const isLast = last === undefined || shown.length === found.length;
  return { runs: shown.map(({ run }) => run), next_page_token: isLast ? "" : `${last.position}-${filter}` };
}

function positionOf(token: string, filter: string): number {
  const [, position, belongsTo] = /^(\d{1,15})-([0-9a-f]{16})$/.exec(token) ?? [];
  if (position === undefined) throw invalid("page_token", token, "Give `next_page_token` of the page before.");
  if (belongsTo !== filter) throw invalid("page_token", token, "Ask with the filter of the page that gave the token.");
  return Number(position);
}

/** How many of the first runs have no more bytes than that; at least one. */
function countWithin(runs: readonly ListedRun[], bytes: number): number {
  let sum = 0;
  for (const [index, { run }] of runs.entries()) {
    sum += Run.encode(run).finish().length;
    if (sum > bytes) return Math.max(1, index);
  }
  return runs.length;
}

function invalid(field: string, value: unknown, remedy: string): CasslError {
  return new CasslError("REQUEST_INVALID", `\`${field}\` is ${JSON.stringify(value)}.`, remedy);
}
