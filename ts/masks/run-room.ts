/** Memory for the runs of many masks, one after the other. */

export interface RunRoom {
  memory: Int32Array;
  /** How much of it is to be kept; the next mask comes after that. */
  used: number;
}

/** Numbers of a room at once. */
const CHUNK = 2 ** 18;

export function newRunRoom(): RunRoom {
  return { memory: new Int32Array(0), used: 0 };
}

/** Where there is room for so many numbers. What is kept elsewhere stays as it is. */
export function makeRoom(room: RunRoom, length: number): number {
  if (room.used + length > room.memory.length) {
    room.memory = new Int32Array(Math.max(length, CHUNK));
    room.used = 0;
  }
  return room.used;
}
