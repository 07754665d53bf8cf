/** The networks of networks.sh, and processes in them. */
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../ts/core/package.js";
import { follow, type Running } from "../integration/project.js";

export type Place = "controller" | "lab" | "home" | "site";

export interface Networks {
  /** Starts a process in a place. @param hidden folders that are empty there, as on a machine that shares no files. */
  start(
    place: Place,
    command: readonly string[],
    options?: { hidden?: readonly string[]; env?: NodeJS.ProcessEnv },
  ): Running;
  /** Pulls the cable between a place and the controller, or plugs it in again. */
  setCable(place: Exclude<Place, "controller">, state: "up" | "down"): Promise<void>;
  /** Whether the controller has a way to an address. */
  hasRoute(address: string): Promise<boolean>;
  close(): Promise<void>;
}

const SCRIPT = join(packageRoot, "test/faults/networks.sh");
/** Which a process of `ip netns exec` does for itself alone. */
const HIDE = 'set -e; while [ "$1" != -- ]; do mount -t tmpfs none "$1"; shift; done; shift; exec "$@"';
const run = promisify(execFile);

/** Why there can be no networks here. Undefined if there can. */
export async function whyNoNetworks(): Promise<string | undefined> {
  if (process.platform !== "linux") return "network namespaces are of Linux";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  for (const tool of ["ip", "tc", "nft"])
    if (!(await succeeds("which", [tool]))) return `${tool} is missing: install iproute2 and nftables`;
  const name = `cassl-probe-${process.pid}`;
  if (!(await succeeds("ip", ["netns", "add", name]))) return "network namespaces are not permitted here";
  await run("ip", ["netns", "delete", name]);
  return undefined;
}

export async function openNetworks(): Promise<Networks> {
  const prefix = `cassl-${process.pid}`;
  const close = async (): Promise<void> => {
    await run(SCRIPT, ["down", prefix]);
  };
  await run(SCRIPT, ["up", prefix]).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    start(place, command, { hidden = [], env = {} } = {}) {
      const hiding = ["sh", "-c", HIDE, "sh", ...hidden, "--"];
      const args = ["netns", "exec", `${prefix}-${place}`, ...hiding, ...command];
      const settings = { ...process.env, NO_COLOR: "1", ...env };
      return follow(spawn("ip", args, { stdio: ["ignore", "pipe", "pipe"], env: settings }));
    },
    async setCable(place, state) {
      await run("ip", ["-n", `${prefix}-${place}`, "link", "set", "controller", state]);
    },
    hasRoute: (address) => succeeds("ip", ["-n", `${prefix}-controller`, "route", "get", address]),
    close,
  };
}

function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
