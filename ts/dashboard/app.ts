/** Every route of the dashboard. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Express } from "express";
import type { ControllerParts } from "../controller/controller.js";
import { version } from "../core/package.js";
import { failed, json, notFound } from "./answers.js";
import { comparisonRoutes } from "./comparison-routes.js";
import { dataRoutes } from "./data-routes.js";
import { evaluationRoutes } from "./evaluation-routes.js";
import { labelRoutes } from "./label-routes.js";
import { metricsHandler } from "./metrics.js";
import { createProtection } from "./protection.js";
import { runRoutes } from "./run-routes.js";

/** What esbuild has made of page/; see scripts/build.mjs. */
const ASSETS = fileURLToPath(new URL("assets", import.meta.url));
/** Paths that show the page, which then looks at its own address. */
const PAGES = [
  "/",
  "/compare",
  "/comparisons",
  "/comparisons/:comparison",
  "/runs/:run",
  "/runs/:run/data",
  "/runs/:run/labels",
  "/runs/:run/evaluation",
];
const MOST_BODY = "1mb";

/** @param secure whether it is served over TLS. */
export function createApp(parts: ControllerParts, secure: boolean): Express {
  const protection = createProtection(parts.authorize, secure);
  const page = readFileSync(join(ASSETS, "index.html"));
  const app = express();
  app.disable("x-powered-by");
  app.set("query parser", "simple");
  app.use(...protection.handlers);
  app.use(express.json({ limit: MOST_BODY }));
  app.get(PAGES, (_request, response) => {
    response.set("Cache-Control", "no-cache").type("html").send(page);
  });
  app.use("/assets", express.static(ASSETS, { index: false, cacheControl: false }));
  app.get("/metrics", protection.allow("ListRuns"), metricsHandler(parts));
  app.use("/api", (_request, response, next) => {
    response.set("Cache-Control", "no-store");
    next();
  });
  app.get(
    "/api/session",
    json((request) => protection.session(request, version)),
  );
  app.post("/api/session", (request, response) => {
    protection.signIn(request, response);
    response.json(protection.session(request, version));
  });
  app.delete("/api/session", (_request, response) => {
    protection.signOut(response);
    response.json({});
  });
  app.use("/api", runRoutes(parts, protection));
  app.use("/api", dataRoutes(parts, protection));
  app.use("/api", labelRoutes(parts, protection));
  app.use("/api", evaluationRoutes(parts, protection));
  app.use("/api", comparisonRoutes(parts, protection));
  app.use(notFound);
  app.use(failed);
  return app;
}
