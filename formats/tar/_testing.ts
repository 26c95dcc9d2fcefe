// Archives made by hand, for tests. Not part of the package.
import { rejects, strictEqual } from "node:assert/strict";
import type { Snapshots } from "@snap/snapshot";
import type { MemoryStore } from "@snap/store/memory";
import { makeMemorySnapshots } from "../../tests/_snapshots.ts";
import { BLOCK_SIZE, type HeaderFields, writeHeader } from "./header.ts";
import {
  importTar,
  type ImportTarOptions,
  type ImportTarResult,
} from "./import_tar.ts";
import { type PaxRecord, writePax } from "./pax.ts";

/** Text as bytes, one for each character. */
export function latinBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}

/** The fields of a header, texts for names; the size is that of the content. */
export interface TestHeader extends
  Partial<
    Omit<HeaderFields, "name" | "linkName" | "userName" | "groupName">
  > {
  readonly linkName?: string;
}

/** A header, and content filled up to the end of a block. */
export function entry(
  name: string,
  header: TestHeader = {},
  content: string | Uint8Array = "",
): Uint8Array {
  const bytes = typeof content === "string" ? latinBytes(content) : content;
  const blocks = Math.ceil(bytes.length / BLOCK_SIZE);
  const all = new Uint8Array(BLOCK_SIZE * (1 + blocks));
  const { linkName = "", ...fields } = header;
  writeHeader(all.subarray(0, BLOCK_SIZE), {
    ...{ mode: 0o644, uid: 0, gid: 0, mtime: 1, type: "0" },
    size: bytes.length,
    ...fields,
    name: latinBytes(name),
    linkName: latinBytes(linkName),
  });
  all.set(bytes, BLOCK_SIZE);
  return all;
}

/** A header of records, for the next entry. */
export function pax(...records: PaxRecord[]): Uint8Array {
  return entry("pax", { type: "x" }, writePax(records));
}

/** The two blocks at the end of an archive. */
export const END: Uint8Array = new Uint8Array(2 * BLOCK_SIZE);

/** Changes bytes of a header, and makes its sum right again. */
export function changed(
  part: Uint8Array,
  at: number,
  bytes: string | Uint8Array,
): Uint8Array {
  const other = part.slice();
  other.set(typeof bytes === "string" ? latinBytes(bytes) : bytes, at);
  other.fill(0x20, 148, 156);
  let sum = 0;
  for (let i = 0; i < BLOCK_SIZE; i++) sum += other[i];
  other.set(latinBytes(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return other;
}

/** Joins parts. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Gives bytes in pieces of a size. */
export async function* inPieces(
  bytes: Uint8Array,
  size: number = 1 << 16,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.slice(at, at + size));
  }
}

/** An archive that was imported, and where. */
export interface Imported extends ImportTarResult {
  readonly snapshots: Snapshots<MemoryStore>;
}

/** Imports an archive into a store of its own. */
export async function imported(
  archive: Uint8Array,
  options: ImportTarOptions & { readonly pieceSize?: number } = {},
): Promise<Imported> {
  const snapshots = await makeMemorySnapshots();
  const pieces = inPieces(archive, options.pieceSize);
  return { snapshots, ...await importTar(snapshots, pieces, options) };
}

/** Imports what is to be refused: no record may be left. */
export async function refused(
  archive: Uint8Array,
  message: RegExp,
  options: ImportTarOptions & { readonly pieceSize?: number } = {},
): Promise<void> {
  const snapshots = await makeMemorySnapshots();
  const pieces = inPieces(archive, options.pieceSize);
  await rejects(importTar(snapshots, pieces, options), { message });
  strictEqual((await snapshots.records()).length, 0, "a record was left");
  await snapshots[Symbol.asyncDispose]();
}
