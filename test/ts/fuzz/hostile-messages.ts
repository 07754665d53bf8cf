/** Messages that a proto allows, with values that nobody means well with, and bytes that are no message at all. */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { version } from "../../../ts/core/package.js";

export type Random = () => number;

const MAX_DEPTH = 6;
const STRINGS = [
  ...["", "a", " ", "../../etc/passwd", "/etc/passwd", "/tmp", "a\0b", "\u{1f4a5}\u202e", "__proto__", "constructor"],
  ...["x".repeat(20_000), "a".repeat(64), "f".repeat(63), "*/**/?", "%s%n", "'; DROP TABLE runs; --", "NaN", "1e999"],
  ...["light", "coco", "auto", "error", "drop", "class_agnostic", "supervised", "cpu", "worker-1", version],
];
const NUMBERS = [0n, 1n, -1n, 2n, 3n, 7n, 100n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
const DOUBLES = [0, -0, 0.5, 1, -1, 1e308, 5e-324, NaN, Infinity, -Infinity];

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** The bytes of a message in which each field is there more often than not. */
export function randomMessage(message: DescMessage, random: Random, depth = 0): Uint8Array {
  const writer = new BinaryWriter();
  for (const field of message.fields) {
    if (random() < 0.3) continue;
    const isMany = field.fieldKind === "list" || field.fieldKind === "map";
    const count = isMany ? Math.floor(random() * 4) : 1;
    for (let item = 0; item < count; item++) writeField(writer, field, random, depth);
  }
  return writer.finish();
}

function writeField(writer: BinaryWriter, field: DescField, random: Random, depth: number): void {
  const { message } = field;
  if (field.fieldKind === "map") {
    const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).string(pick(random, STRINGS));
    writer.tag(field.number, WireType.LengthDelimited).bytes(entry.finish());
  } else if (message !== undefined) {
    const bytes = depth < MAX_DEPTH ? randomMessage(message, random, depth + 1) : new Uint8Array();
    writer.tag(field.number, WireType.LengthDelimited).bytes(bytes);
  } else writeScalar(writer, field.number, field.scalar, random);
}

function writeScalar(writer: BinaryWriter, number: number, type: ScalarType | undefined, random: Random): void {
  if (type === ScalarType.STRING) writer.tag(number, WireType.LengthDelimited).string(pick(random, STRINGS));
  else if (type === ScalarType.BYTES) writer.tag(number, WireType.LengthDelimited).bytes(randomBytes(random, 200));
  else if (type === ScalarType.DOUBLE) writer.tag(number, WireType.Bit64).double(pick(random, DOUBLES));
  else if (type === ScalarType.FLOAT) writer.tag(number, WireType.Bit32).float(pick(random, [0, 1, NaN, Infinity]));
  else writer.tag(number, WireType.Varint).int64(pick(random, NUMBERS));
}

export function randomBytes(random: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: Math.floor(random() * most) }, () => Math.floor(random() * 256));
}

/** Changes, cuts, doubles or inserts some bytes. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(random() * bytes.length);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  const change = Math.floor(random() * 4);
  if (change === 0) return head;
  if (change === 1) return Buffer.concat([head, randomBytes(random, 8), tail]);
  if (change === 2) return Buffer.concat([bytes, tail]);
  return Buffer.concat([head, randomBytes(random, 3), tail.subarray(Math.floor(random() * 3))]);
}
