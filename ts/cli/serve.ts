import { once } from "node:events";
import { type Command, InvalidArgumentError, Option } from "commander";
import { startController } from "../controller/controller.js";
import { interruptSignal } from "./interrupt.js";
import { DEFAULT_ADDRESS, jsonOption, pythonOption, workspaceHere, workspaceOption } from "./options.js";

interface ServeOptions {
  readonly listen: Address;
  readonly workers: number;
  readonly workspace?: string;
  readonly python?: string;
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
    .addOption(
      new Option("--workers <count>", "workers to run as child processes; others may attach")
        .default(1)
        .argParser(parseCount),
    )
    .addOption(workspaceOption("in the working folder"))
    .addOption(pythonOption())
    .addOption(jsonOption("print the address as JSON"))
    .action((_options: object, command: Command) => serve(command.optsWithGlobals<ServeOptions>()));
}

async function serve({ listen, workers, python, json, debug, ...options }: ServeOptions): Promise<void> {
  const interrupted = interruptSignal();
  const workspace = workspaceHere(options.workspace);
  const controller = await startController({
    workspace,
    ...listen,
    childWorkers: workers,
    python,
    recover: "resume",
    onWorkerOutput: (line) => debug && console.error(`worker: ${line}`),
  });
  const { address } = controller;
  console.log(
    json
      ? JSON.stringify({ address, workspace })
      : `Controller at ${address}, workspace ${workspace}. Ctrl-C stops it.`,
  );
  if (!interrupted.aborted) await once(interrupted, "abort");
  console.error("Stopping; a run under way goes on at the next start.");
  await controller.stop();
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
