import { checkBytes } from "@snap/hash";
import { ExtraTag } from "./check_extras.ts";
import { ID_SIZE } from "../bytes.ts";
import { INLINE_SIZE_MAX } from "../limits.ts";

/**
 * Steps through the extras of a row without an object for each item. Where
 * `decodeExtras` makes a list to keep, this reads what a page has already checked.
 *
 * @example Add up the sizes of the values of a row
 * ```ts
 * import { encodeExtras } from "@snap/manifest/extras";
 * import { ExtrasReader } from "@snap/manifest/extras";
 * import { strictEqual } from "node:assert/strict";
 *
 * const text = new TextEncoder();
 * const extras = encodeExtras({
 *   xattrs: [{ name: text.encode("user.a"), value: text.encode("one"), size: 3 }],
 * });
 *
 * const reader = new ExtrasReader();
 * let size = 0;
 * reader.begin(extras);
 * while (reader.next()) size += reader.size;
 * strictEqual(size, 3);
 * ```
 */
export class ExtrasReader {
  /** The bytes that are read. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Whether the item is the list of holes, else it is an extended attribute. */
  isHoles = false;
  /** Where the name of the attribute begins in {@linkcode ExtrasReader.bytes}. */
  nameStart = 0;
  /** One past the last byte of the name. */
  nameEnd = 0;
  /** Size of the value. */
  size = 0;
  /** Where the value begins or, above 1 KiB, the 32 bytes of its id. */
  valueStart = 0;
  #at = 0;

  /** Whether the value stands in the bytes, else it is content of its own. */
  get isInline(): boolean {
    return this.size <= INLINE_SIZE_MAX;
  }

  /**
   * Begins to read.
   *
   * @param extras All bytes of the extras, of a page that was decoded.
   */
  begin(extras: Uint8Array): void {
    checkBytes(extras, "extras");
    this.bytes = extras;
    this.#at = 0;
  }

  /**
   * Goes to the next item.
   *
   * @returns Whether there was one more.
   */
  next(): boolean {
    if (this.#at >= this.bytes.length) return false;
    const tag = this.bytes[this.#at++];
    this.isHoles = tag === ExtraTag.holes || tag === ExtraTag.largeHoles;
    const nameSize = this.isHoles ? 0 : this.#varint();
    this.nameStart = this.#at;
    this.nameEnd = this.#at += nameSize;
    this.size = this.#varint();
    this.valueStart = this.#at;
    this.#at += this.isInline ? this.size : ID_SIZE;
    return true;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    let byte = this.bytes[this.#at++];
    for (; byte >= 0x80; byte = this.bytes[this.#at++]) {
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    return value + byte * scale;
  }
}
