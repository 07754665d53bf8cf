/** The dashboard: a page beside a controller that shows what it does, and lets people do what its API does. */
import { once } from "node:events";
import { createServer as createPlainServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { ControllerParts } from "../controller/controller.js";
import { CasslError } from "../core/errors.js";
import { readServerTls, type ServerTlsFiles } from "../grpc/tls.js";
import { createApp } from "./app.js";

export interface DashboardOptions {
  /** That of the controller, whose rules for other machines hold here as well. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: ServerTlsFiles | undefined;
}

export interface Dashboard {
  readonly url: string;
  stop(): Promise<void>;
}

/** ADDRESS_UNAVAILABLE, mostly because the port is taken. To be stopped before the controller. */
export async function startDashboard(
  parts: ControllerParts,
  { host, port, tls }: DashboardOptions,
): Promise<Dashboard> {
  const app = createApp(parts, tls !== undefined);
  const server = tls === undefined ? createPlainServer(app) : await secureServer(tls, app);
  await listen(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? "http" : "https"}://${name}:${bound}`,
    async stop() {
      const closed = once(server, "close");
      server.close();
      // Streams of events would go on for as long as a browser looks at them.
      server.closeAllConnections();
      await closed;
    },
  };
}

async function secureServer(files: ServerTlsFiles, app: RequestListener): Promise<Server> {
  const tls = await readServerTls(files);
  return createSecureServer({ ...tls, requestCert: tls.ca !== undefined }, app);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    throw new CasslError(
      "ADDRESS_UNAVAILABLE",
      `The dashboard cannot be served at ${host}:${port}: ${(error as Error).message}`,
      "Stop what uses the port, choose another with --ui-port, or leave the dashboard out with --no-ui.",
      { cause: error },
    );
  }
}
