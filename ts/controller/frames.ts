/** The data plane: a ZeroMQ ROUTER that takes prediction shards and answers each with a ShardReply. */
import { Router } from "zeromq";
import { CasslError, toErrorDetail } from "../core/errors.js";
import { ShardHeader, ShardReply } from "../gen/cassl/v1/prediction_frame.js";
import type { ShardLedger } from "./shards.js";

export interface FrameServer {
  /** Such as tcp://127.0.0.1:40123. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** More than any shard: larger messages are not even delivered. */
const MAX_MESSAGE_BYTES = 256 * 2 ** 20;

/** @param host an IP address. */
export async function serveFrames(host: string): Promise<FrameServer & { answer(ledger: ShardLedger): void }> {
  const router = new Router({ linger: 0, maxMessageSize: MAX_MESSAGE_BYTES, ipv6: host.includes(":") });
  await router.bind(`tcp://${host.includes(":") ? `[${host}]` : host}:*`);
  let loop: Promise<void> = Promise.resolve();
  return {
    endpoint: router.lastEndpoint ?? "",
    answer(ledger) {
      loop = answerAll(router, ledger);
    },
    async close() {
      router.close();
      await loop;
    },
  };
}

/** One shard after the other, so that there is one send at a time, which is what a socket allows. */
async function answerAll(router: Router, ledger: ShardLedger): Promise<void> {
  for await (const [sender, ...frames] of router) {
    const reply = await replyTo(frames, ledger);
    if (router.closed) return;
    await router.send([sender as Buffer, ShardReply.encode(reply).finish()]);
  }
}

async function replyTo(frames: readonly Buffer[], ledger: ShardLedger): Promise<ShardReply> {
  let header = ShardHeader.create();
  try {
    const [first, payload] = frames;
    if (first === undefined || payload === undefined || frames.length !== 2)
      throw malformed(`it has ${frames.length} parts, not 2`);
    header = decodeHeader(first);
    await ledger.commit(header, payload);
    return { task_id: header.task_id, shard: header.shard };
  } catch (error) {
    return { task_id: header.task_id, shard: header.shard, error: toErrorDetail(error) };
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
