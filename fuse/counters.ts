/**
 * The counters of a mount, in shared memory: a row for each worker, so that counting never waits.
 *
 * @module
 */

/** Columns of a row. Below 64: requests by their operation code. */
export const Counter = {
  /** Requests by operation code: column 0 to 63; what is above 63 counts as 0. */
  requests: 0,
  /** Bytes of files handed to the kernel. */
  bytesRead: 64,
  /** Requests that had to wait for bytes of the store. */
  parked: 65,
  /** Requests that waited too long. */
  expired: 66,
  /** Requests that were interrupted while they waited. */
  interrupted: 67,
  /** Requests that were answered with an input/output error. */
  faults: 68,
} as const;

/** Number of a column. */
export type Counter = (typeof Counter)[keyof typeof Counter];

const OPCODES = 64;
const COLUMNS = 96;

/** The counters of a mount: one worker adds to its row, all threads read all rows. */
export class Counters {
  /** The shared memory. */
  readonly buffer: SharedArrayBuffer;
  readonly #all: Float64Array;
  /** The row that is added to. */
  readonly row: Float64Array;

  /** Makes counters that all are 0. */
  static create(workerCount: number): Counters {
    return new Counters(new SharedArrayBuffer(workerCount * COLUMNS * 8), 0);
  }

  constructor(buffer: SharedArrayBuffer, worker: number) {
    this.buffer = buffer;
    this.#all = new Float64Array(buffer);
    this.row = new Float64Array(buffer, worker * COLUMNS * 8, COLUMNS);
  }

  /** Counts a request. */
  request(opcode: number): void {
    this.row[opcode < OPCODES ? opcode : 0]++;
  }

  /** Adds to a column. */
  add(counter: number, count: number): void {
    this.row[counter] += count;
  }

  /** Sums a column over all workers. What is added at the same time may be missing. */
  total(counter: number): number {
    let sum = 0;
    for (let i = counter; i < this.#all.length; i += COLUMNS) {
      sum += this.#all[i];
    }
    return sum;
  }

  /** Sums the requests of all operation codes. */
  totalRequests(): number {
    let sum = 0;
    for (let opcode = 0; opcode < OPCODES; opcode++) sum += this.total(opcode);
    return sum;
  }
}
