/** From what a route gives or throws to an HTTP answer. */
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";
import { CasslError } from "../core/errors.js";
import { grpcCodeOf } from "../grpc/codes.js";
import type { Failure } from "./wire/requests.js";

/** HTTP status of each gRPC code, as google.rpc.Code documents it. */
const HTTP_STATUS: Readonly<Record<number, number>> = {
  1: 499,
  3: 400,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 409,
  10: 409,
  14: 503,
  16: 401,
};

/** Answers with what `answer` gives, as JSON. */
export function json<T>(answer: (request: Request) => T | Promise<T>): RequestHandler {
  return async (request, response) => {
    response.json(await answer(request));
  };
}

export const notFound: RequestHandler = ({ path }) => {
  throw new CasslError("FILE_NOT_FOUND", `There is no ${shown(path)}.`, "Start from the list of runs.");
};

/** Whatever was thrown, with its reason and its remedy; nothing of the insides of a fault of ours. */
export const failed: ErrorRequestHandler = (thrown: unknown, _request, response: Response, next) => {
  if (response.headersSent) return next(thrown);
  const error = toCasslError(thrown);
  const { reason, message, remedy } = error;
  const body: Failure = { reason, message, remedy };
  response.status(HTTP_STATUS[grpcCodeOf(reason)] ?? 500).json(body);
};

/** A parameter of the path. */
export function parameter(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === "string" ? value : "";
}

/** A parameter of the query; empty if it is missing. */
export function query(request: Request, name: string): string {
  const value = request.query[name];
  return typeof value === "string" ? value : "";
}

/** REQUEST_INVALID if it is given and no whole number from 0. */
export function wholeNumber(request: Request, name: string): number | undefined {
  const text = query(request, name);
  if (text === "") return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new CasslError("REQUEST_INVALID", `\`${name}\` is ${shown(text)}.`, "Give a whole number.");
}

/** Faults that express finds in a request have a status below 500. */
function toCasslError(thrown: unknown): CasslError {
  const status = thrown instanceof Error && "status" in thrown ? Number(thrown.status) : 500;
  if (thrown instanceof CasslError || !(status < 500)) return CasslError.from(thrown);
  return new CasslError("REQUEST_INVALID", (thrown as Error).message, "Correct the request.", { cause: thrown });
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
