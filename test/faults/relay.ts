/** A TCP relay between a worker and its controller: to cut, to silence and to slow down. */

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Relay {
  /** host:port */
  readonly address: string;
  /** Breaks every connection; new ones are made. */
  cut(): void;
  /** Passes nothing on any more, without closing anything: what a pulled cable does. */
  silence(): void;
  /** Connections made from now on pass bytes; the silenced ones stay dead. */
  restore(): void;
  close(): Promise<void>;
}

/** @param delayMs of every piece of data, each way. */
export async function relayTo(port: number, delayMs = 0): Promise<Relay> {
  const links = new Set<Socket[]>();
  let isSilent = false;
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    const link = [near, far];
    links.add(link);
    let isDead = isSilent;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("data", (bytes) => {
        isDead ||= isSilent;
        if (!isDead) setTimeout(() => to.writable && to.write(bytes), delayMs);
      });
      from.on("error", () => to.destroy());
      from.on("close", () => {
        if (!isDead) to.destroy();
        links.delete(link);
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: own } = server.address() as { port: number };
  const cut = (): void => [...links].flat().forEach((socket) => socket.destroy());
  return {
    address: `127.0.0.1:${own}`,
    cut,
    silence: () => {
      isSilent = true;
    },
    restore: () => {
      isSilent = false;
    },
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
