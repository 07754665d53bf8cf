/**
 * CURVE on the data plane: the controller has a key pair for as long as it runs, and gives each worker one of its own over
 * the Attach stream. Only those keys are let in.
 */
import { type Context, curveKeyPair, Reply } from "zeromq";
import type { FrameKeys } from "../gen/cassl/v1/worker_service.js";

export interface FrameEncryption {
  readonly secretKey: string;
  /** Makes the keys of a worker. */
  admit(): FrameKeys;
  /** A worker with these keys can make no new connection. */
  expel(keys: FrameKeys): void;
  close(): Promise<void>;
}

/** Where libzmq asks whether a client may connect, and what it understands (https://rfc.zeromq.org/spec/27). */
const ZAP_ENDPOINT = "inproc://zeromq.zap.01";
const ZAP_VERSION = "1.0";

export async function openEncryption(context: Context): Promise<FrameEncryption> {
  const server = curveKeyPair();
  /** Public keys of workers, as hex. */
  const admitted = new Set<string>();
  const door = new Reply({ context, linger: 0 });
  await door.bind(ZAP_ENDPOINT);
  const loop = answerAll(door, (key) => admitted.has(key.toString("hex")));
  return {
    secretKey: server.secretKey,
    admit() {
      const { publicKey, secretKey } = curveKeyPair();
      admitted.add(decodeZ85(publicKey).toString("hex"));
      return { server_public_key: server.publicKey, client_public_key: publicKey, client_secret_key: secretKey };
    },
    expel: ({ client_public_key }) => void admitted.delete(decodeZ85(client_public_key).toString("hex")),
    async close() {
      door.close();
      await loop;
    },
  };
}

async function answerAll(door: Reply, mayEnter: (key: Buffer) => boolean): Promise<void> {
  for await (const [, requestId = Buffer.alloc(0), , , , mechanism, key] of door) {
    const isAdmitted = mechanism?.toString() === "CURVE" && key !== undefined && mayEnter(key);
    const verdict = isAdmitted ? ["200", "OK"] : ["400", "unknown key"];
    await door.send([ZAP_VERSION, requestId, ...verdict, "", ""]);
  }
}

const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** The bytes of a key in Z85 (https://rfc.zeromq.org/spec/32): five characters are four bytes. */
export function decodeZ85(text: string): Buffer {
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let group = 0; group < text.length / 5; group++) {
    const digits = [...text.slice(5 * group, 5 * group + 5)].map((character) => Z85.indexOf(character));
    bytes.writeUInt32BE(
      digits.reduce((value, digit) => value * 85 + digit, 0),
      4 * group,
    );
  }
  return bytes;
}
