/** The data plane: a ZeroMQ ROUTER that takes prediction shards and answers each with a ShardReply. */
import { isIP } from "node:net";
import { Context, Router } from "zeromq";
import { CasslError, toErrorDetail } from "../core/errors.js";
import { ShardHeader, ShardReply } from "../gen/cassl/v1/prediction_frame.js";
import { openEncryption } from "./frame-encryption.js";
import type { FrameRoute } from "./frame-route.js";
import type { FrameTally } from "./frame-tally.js";
import type { ShardLedger } from "./shards.js";

export interface FrameServer extends FrameRoute {
  /** Begins to take frames. */
  answer(ledger: ShardLedger, tally: FrameTally): void;
  close(): Promise<void>;
}

/** More than any shard: larger messages are not even delivered, and their connection is closed. */
const MAX_MESSAGE_BYTES = 256 * 2 ** 20;
/** Messages of one worker that wait here; more wait at the worker, whose credits bound their bytes. */
const RECEIVE_QUEUE = 4;
/** A connection over which nothing came back for so long is dead, whatever TCP says. */
const [HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS] = [5_000, 15_000];

export interface FrameServerOptions {
  /** @default any that is free */
  readonly port?: number | undefined;
  /** Whether frames are encrypted also on loopback. @default false */
  readonly encrypted?: boolean;
}

/** ADDRESS_UNAVAILABLE if the port is taken. @param host an IP address. Frames are encrypted where it is not a loopback address. */
export async function serveFrames(
  host: string,
  { encrypted = false, port }: FrameServerOptions = {},
): Promise<FrameServer> {
  // Of its own, because there is one door to a context.
  const context = new Context();
  const encryption = encrypted || !isLoopback(host) ? await openEncryption(context) : undefined;
  const router = new Router({
    context,
    ...(encryption && { curveServer: true, curveSecretKey: encryption.secretKey }),
    linger: 0,
    maxMessageSize: MAX_MESSAGE_BYTES,
    receiveHighWaterMark: RECEIVE_QUEUE,
    heartbeatInterval: HEARTBEAT_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    ipv6: host.includes(":"),
  });
  await bind(router, `tcp://${host.includes(":") ? `[${host}]` : host}:${port ?? "*"}`).catch(
    async (error: unknown) => {
      router.close();
      await encryption?.close();
      throw error;
    },
  );
  let loop: Promise<void> = Promise.resolve();
  return {
    endpoint: router.lastEndpoint ?? "",
    admit: () => encryption?.admit(),
    expel: (keys) => encryption?.expel(keys),
    answer(ledger, tally) {
      loop = answerAll(router, ledger, tally.note);
    },
    async close() {
      router.close();
      await loop;
      await encryption?.close();
    },
  };
}

async function bind(router: Router, endpoint: string): Promise<void> {
  try {
    await router.bind(endpoint);
  } catch (error) {
    const message = `Prediction frames cannot be taken at ${endpoint}: ${(error as Error).message}.`;
    throw new CasslError(
      "ADDRESS_UNAVAILABLE",
      message,
      "Choose another --frames-port, or none for any that is free.",
      {
        cause: error,
      },
    );
  }
}

function isLoopback(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/** One shard after the other, so that there is one send at a time, which is what a socket allows. */
async function answerAll(router: Router, ledger: ShardLedger, note: FrameTally["note"]): Promise<void> {
  for await (const [sender, ...frames] of router) {
    const reply = await replyTo(frames, ledger, note);
    if (router.closed) return;
    if (reply === undefined) continue;
    // A worker that gets no reply sends the shard again.
    await router.send([sender as Buffer, ShardReply.encode(reply).finish()]).catch(() => {});
  }
}

async function replyTo(
  frames: readonly Buffer[],
  ledger: ShardLedger,
  note: FrameTally["note"],
): Promise<ShardReply | undefined> {
  let header = ShardHeader.create();
  try {
    const [first, payload] = frames;
    if (first === undefined || payload === undefined || frames.length !== 2)
      throw malformed(`it has ${frames.length} parts, not 2`);
    header = decodeHeader(first);
    const outcome = await ledger.commit(header, payload);
    note(header, outcome);
    return outcome === "deferred" ? undefined : { task_id: header.task_id, shard: header.shard };
  } catch (error) {
    const refusal = CasslError.from(error);
    note(header, refusal);
    return { task_id: header.task_id, shard: header.shard, error: toErrorDetail(refusal) };
  }
}

function decodeHeader(bytes: Uint8Array): ShardHeader {
  try {
    return ShardHeader.decode(bytes);
  } catch (error) {
    throw malformed(`its header cannot be decoded: ${(error as Error).message}`);
  }
}

function malformed(fault: string): CasslError {
  return new CasslError(
    "FRAME_INVALID",
    `A prediction frame is refused: ${fault}.`,
    "The worker must send the shard again.",
  );
}
