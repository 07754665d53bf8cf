/**
 * Who may ask the dashboard for what. Where no token is demanded, every user of this machine may do everything, but no page of
 * another origin that their browser shows: not by a name of its own for this machine (DNS rebinding), nor by a request across
 * origins (CSRF). Where tokens are demanded, the roles are those of the API.
 */
import type { Request, RequestHandler, Response } from "express";
import helmet from "helmet";
import type { Authorize } from "../controller/access/guard.js";
import { CasslError } from "../core/errors.js";
import { CHANGE_HEADER, type Session } from "./wire/requests.js";

export interface Protection {
  /** Headers of every answer, and refusal of foreign origins. Before all routes. */
  readonly handlers: readonly RequestHandler[];
  /** Lets a request pass whose token may call the RPC of ControllerService. */
  allow(rpc: string): RequestHandler;
  session(request: Request, version: string): Session;
  /** Keeps the token of the request's body in a cookie that scripts cannot read. UNAUTHENTICATED if it is none. */
  signIn(request: Request, response: Response): void;
  signOut(response: Response): void;
}

const COOKIE = "cassl-token";
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** @param authorize undefined: no token is demanded. @param secure whether cookies may go over TLS only. */
export function createProtection(authorize: Authorize | undefined, secure: boolean): Protection {
  const cookie = { httpOnly: true, sameSite: "strict", secure, path: "/" } as const;

  function check(rpc: string, request: Request): void {
    authorize?.(`/cassl.v1.ControllerService/${rpc}`, credentialsOf(request), request.socket.remoteAddress ?? "");
  }

  function may(rpc: string, request: Request): boolean {
    if (authorize === undefined) return true;
    if (credentialsOf(request) === "") return false;
    try {
      check(rpc, request);
      return true;
    } catch {
      return false;
    }
  }

  return {
    handlers: [securityHeaders(), ...(authorize === undefined ? [refuseForeignHosts] : []), refuseForeignOrigins],
    allow: (rpc) => (request, _response, next) => {
      check(rpc, request);
      next();
    },
    session: (request, version) => ({
      version,
      signInNeeded: !may("ListRuns", request),
      isSignedIn: authorize !== undefined && cookieOf(request) !== undefined && may("ListRuns", request),
      mayChange: may("CancelRun", request),
    }),
    signIn(request, response) {
      const { token } = (request.body ?? {}) as { token?: unknown };
      if (typeof token !== "string") throw new CasslError("REQUEST_INVALID", "`token` is missing.", "Give a token.");
      request.headers.authorization = `Bearer ${token.trim()}`;
      check("ListRuns", request);
      response.cookie(COOKIE, token.trim(), cookie);
    },
    signOut: (response) => void response.clearCookie(COOKIE, cookie),
  };
}

function securityHeaders(): RequestHandler {
  const self = ["'self'"];
  const none = ["'none'"];
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        scriptSrc: self,
        styleSrc: self,
        imgSrc: [...self, "data:"],
        connectSrc: self,
        baseUri: none,
        formAction: none,
        frameAncestors: none,
        requireTrustedTypesFor: ["'script'"],
      },
    },
    crossOriginResourcePolicy: { policy: "same-origin" },
    referrerPolicy: { policy: "no-referrer" },
    strictTransportSecurity: false,
    xFrameOptions: { action: "deny" },
  });
}

/** A page of a foreign name that was made to stand for this machine says that name. */
const refuseForeignHosts: RequestHandler = ({ headers: { host = "" } }, _response, next) => {
  if (!LOOPBACK.has(host.replace(/:\d+$/, "")))
    throw denied(`The dashboard is not ${JSON.stringify(host.slice(0, 100))}.`, "Open it as http://127.0.0.1.");
  next();
};

/** Browsers say where a request is from; only this page can add a header of its own. */
const refuseForeignOrigins: RequestHandler = ({ method, headers }, _response, next) => {
  const isRead = method === "GET" || method === "HEAD";
  const site = headers["sec-fetch-site"];
  const isNavigation = headers["sec-fetch-mode"] === "navigate" && isRead;
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isNavigation)
    throw denied("The request is from another origin.", "Use the dashboard's own page.");
  if (!isRead && headers[CHANGE_HEADER] === undefined)
    throw denied(`The request has no header ${CHANGE_HEADER}.`, `Send ${CHANGE_HEADER}: 1.`);
  next();
};

/** A header, or the cookie of a signed-in browser. */
function credentialsOf(request: Request): string {
  if (request.headers.authorization !== undefined) return request.headers.authorization;
  const token = cookieOf(request);
  return token === undefined ? "" : `Bearer ${token}`;
}

/** What no token has in it ends the cookie. */
function cookieOf({ headers }: Request): string | undefined {
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]*)`).exec(headers.cookie ?? "")?.[1];
}

function denied(message: string, remedy: string): CasslError {
  return new CasslError("PERMISSION_DENIED", message, remedy);
}
