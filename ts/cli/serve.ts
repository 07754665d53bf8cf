import { once } from "node:events";
import { type Command, InvalidArgumentError, Option } from "commander";
import { RUNS_AT_ONCE, startController } from "../controller/controller.js";
import { CasslError } from "../core/errors.js";
import type { ServerTlsFiles } from "../grpc/tls.js";
import { readRayCluster } from "../ray/settings.js";
import { DEFAULT_UI_PORT, openDashboard } from "./dashboard.js";
import { interruptSignal } from "./interrupt.js";
import {
  countParser,
  DEFAULT_ADDRESS,
  jsonOption,
  parsePort,
  pythonOption,
  rayOption,
  workspaceHere,
  workspaceOption,
} from "./options.js";
import { printable } from "./printable.js";
import { type Webhooks, webhookOption, webhookSecret, webhookSink, webhooksOf } from "./webhook.js";

interface ServeOptions {
  readonly listen: Address;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clientCa?: string;
  readonly tokens?: string;
  readonly dataRoot?: readonly string[];
  readonly imageHost?: readonly string[];
  readonly ui: boolean;
  readonly uiPort?: number;
  readonly framesPort?: number;
  readonly webhook?: URL;
  readonly workers: number;
  readonly runsAtOnce: number;
  readonly workspace?: string;
  readonly python?: string;
  readonly ray?: string;
  readonly json?: true;
  readonly debug?: true;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .description(
      "Keep a controller running, which takes runs from `cassl submit`. It goes on with the runs that it was stopped in.",
    )
    .addOption(
      new Option("--listen <address>", "host:port to listen on; port 0 takes any free one")
        .default(parseAddress(DEFAULT_ADDRESS), DEFAULT_ADDRESS)
        .argParser(parseAddress),
    )
    .option(
      "--tls-cert <file>",
      "certificate of the controller (PEM); other machines reach it only with TLS and tokens",
    )
    .option("--tls-key <file>", "its key (PEM)")
    .option("--client-ca <file>", "demand certificates of clients and workers that these have signed (PEM)")
    .option("--tokens <file>", "demand tokens: those of `cassl token create` in this file")
    .addOption(
      new Option(
        "--ui-port <port>",
        `port of the dashboard on the same host (default: ${DEFAULT_UI_PORT}, or any if that is taken)`,
      ).argParser(parsePort),
    )
    .option("--no-ui", "serve no dashboard")
    .addOption(
      new Option(
        "--frames-port <port>",
        "port on which workers send predictions, on the same host (default: any)",
      ).argParser(parsePort),
    )
    .addOption(webhookOption())
    .option("--data-root <dir...>", "folders that runs may read data from (default on this machine: all)")
    .option("--image-host <host...>", "with --data-root: hosts that runs may have images fetched from (default: none)")
    .addOption(
      new Option("--workers <count>", "workers to run as child processes; others may attach")
        .default(1)
        .argParser(parseCount),
    )
    .addOption(
      new Option("--runs-at-once <count>", "runs under way at a time, which share the workers; others are queued")
        .default(RUNS_AT_ONCE)
        .argParser(countParser(3)),
    )
    .addOption(workspaceOption("in the working folder"))
    .addOption(pythonOption())
    .addOption(rayOption())
    .addOption(jsonOption("print the address as JSON"))
    .action((_options: object, command: Command) => serve(command.optsWithGlobals<ServeOptions>()));
}

async function serve(options: ServeOptions): Promise<void> {
  const { listen, workers, runsAtOnce, python, json, debug } = options;
  const interrupted = interruptSignal();
  const workspace = workspaceHere(options.workspace);
  const webhooks = openWebhooks(options.webhook);
  const controller = await startController({
    workspace,
    ...listen,
    access: {
      tls: tlsFiles(options),
      tokens: options.tokens,
      dataRoots: options.dataRoot,
      imageHosts: options.imageHost,
    },
    framesPort: options.framesPort,
    childWorkers: workers,
    runsAtOnce,
    python,
    ray: options.ray === undefined ? undefined : await readRayCluster(options.ray),
    recover: "resume",
    onWorkerOutput: debug ? (line) => console.error(printable(`worker: ${line}`)) : undefined,
    onRunNews: webhooks?.tell,
  });
  const { address, parts } = controller;
  try {
    const place = { host: listen.host, port: options.uiPort, tls: tlsFiles(options) };
    const dashboard = options.ui ? await openDashboard(parts, place) : undefined;
    console.log(
      json
        ? JSON.stringify({ address, dashboard: dashboard?.url, workspace })
        : [
            `Controller at ${address}, workspace ${workspace}. Ctrl-C stops it.`,
            ...(dashboard === undefined ? [] : [`Dashboard at ${dashboard.url}`]),
          ].join("\n"),
    );
    if (!interrupted.aborted) await once(interrupted, "abort");
    console.error("Stopping; runs under way go on at the next start.");
    await dashboard?.stop();
  } finally {
    await controller.stop();
    await webhooks?.finish();
  }
}

function openWebhooks(url: URL | undefined): Webhooks | undefined {
  const secret = webhookSecret();
  // A controller hears only of what happens now.
  return url && webhooksOf(() => webhookSink(url, secret, (text) => console.error(text), { since: 0 }));
}

function tlsFiles({ tlsCert: cert, tlsKey: key, clientCa }: ServeOptions): ServerTlsFiles | undefined {
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa };
  throw new CasslError("CONFIG_INVALID", "TLS needs a certificate and its key.", "Give --tls-cert and --tls-key.");
}

function parseAddress(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65535) throw new InvalidArgumentError("It must be host:port.");
  return { host, port: Number(port) };
}

function parseCount(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 0 to 999.");
  return Number(text);
}
