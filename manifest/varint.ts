import { FILE_SIZE_MAX } from "./limits.ts";
import { ManifestSyntaxError } from "./manifest_syntax_error.ts";

/** Largest size of a varint in bytes. */
export const VARINT_SIZE_MAX = 8;

/** Returns how many bytes the varint of a number has. */
export function varintSize(value: number): number {
  let size = 1;
  while (value >= 0x80) {
    value = Math.floor(value / 0x80);
    size++;
  }
  return size;
}

/** Writes a varint and returns the offset after it. */
export function writeVarint(
  bytes: Uint8Array,
  at: number,
  value: number,
): number {
  while (value >= 0x80) {
    bytes[at++] = (value % 0x80) | 0x80;
    value = Math.floor(value / 0x80);
  }
  bytes[at++] = value;
  return at;
}

/** Reads varints one after the other, without an object per number. */
export class VarintReader {
  /** Offset of the next byte. */
  at: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  /** Reads the bytes from `start` to `end`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  /** Whether every byte was read. */
  get isAtEnd(): boolean {
    return this.at >= this.#end;
  }

  /** Reads one number; throws unless it is in its shortest form and at most 2^53 - 1. */
  read(): number {
    const start = this.at;
    let value = 0;
    let scale = 1;
    while (this.at < this.#end) {
      const byte = this.#bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) {
          this.#fail("be in its shortest form", start);
        }
        if (value > FILE_SIZE_MAX) this.#fail("be at most 2^53 - 1", start);
        return value;
      }
      if (this.at - start === VARINT_SIZE_MAX) {
        this.#fail("be at most 2^53 - 1", start);
      }
      scale *= 0x80;
    }
    return this.#fail("end within its bytes", start);
  }

  /** Reads a size that must fit in the bytes that are left, and returns the offset after as many. */
  readEnd(): number {
    const start = this.at;
    const end = this.read();
    if (end > this.#end - this.at) {
      this.#fail("be a size within its bytes", start);
    }
    return this.at + end;
  }

  #fail(need: string, offset: number): never {
    throw new ManifestSyntaxError(
      `Cannot read number as it must ${need}`,
      offset,
    );
  }
}
