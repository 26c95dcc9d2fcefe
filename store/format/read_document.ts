/**
 * Reading documents from a store, whatever somebody has put there.
 *
 * @module
 */
import { DOCUMENT_SIZE_MAX } from "./document.ts";
import { DocumentSyntaxError, NotFoundError } from "../errors.ts";
import type { ReadStore, StoreOptions } from "../store.ts";

/**
 * Reads the bytes of a document. A file that is too large for one is not read.
 *
 * @param store The store.
 * @param name The name of the document.
 * @param options A signal.
 * @returns The bytes, which nothing has checked yet.
 * @throws {NotFoundError} If the store has no such document.
 * @throws {DocumentSyntaxError} If the file is larger than any document.
 */
export async function readDocument(
  store: ReadStore,
  name: string,
  options?: StoreOptions,
): Promise<Uint8Array> {
  const size = await store.size(name, options);
  if (size === undefined) throw new NotFoundError(name);
  if (size > DOCUMENT_SIZE_MAX) {
    throw new DocumentSyntaxError(
      `Cannot read ${name} as a document has at most ${DOCUMENT_SIZE_MAX} bytes: found ${size}`,
      DOCUMENT_SIZE_MAX,
    );
  }
  return await store.read(name, { ...options, offset: 0, length: size });
}
