/**
 * Reading documents from a store, whatever somebody has put there.
 *
 * @module
 */
import { DOCUMENT_SIZE_MAX } from "./document.ts";
import { DocumentSyntaxError, StoreError } from "../errors.ts";
import type { ReadOptions, ReadStore } from "../store.ts";

/**
 * Reads the bytes of a document. Of a file that is too large for one no more is read.
 *
 * @param name The name of the document.
 * @returns The bytes, which nothing has checked yet.
 * @throws {NotFoundError} If the store has no such document.
 * @throws {DocumentSyntaxError} If the file is larger than any document.
 */
export async function readDocument(
  store: ReadStore,
  name: string,
  options?: Pick<ReadOptions, "signal" | "isFresh">,
): Promise<Uint8Array> {
  const range = { ...options, sizeMax: DOCUMENT_SIZE_MAX };
  try {
    return await store.read(name, range);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "EFBIG") throw error;
    throw new DocumentSyntaxError(
      `Cannot read ${name} as a document has at most ${DOCUMENT_SIZE_MAX} bytes: found more`,
      DOCUMENT_SIZE_MAX,
    );
  }
}
