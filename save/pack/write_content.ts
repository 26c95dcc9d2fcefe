import { argumentError, checkBytes } from "@snap/hash";
import type { ContentWriter } from "./content_writer.ts";

/** Content of one object: bytes, or what gives them in pieces. */
export type ContentSource = Uint8Array | Blob | AsyncIterable<Uint8Array>;

/** What {@linkcode writeContent} has written. */
export interface WrittenContent {
  /** Its id, good until the next is written. */
  readonly id: Uint8Array;
  /** How many bytes it had. */
  readonly size: number;
}

/**
 * Stores content, from its first byte to its end.
 *
 * @param writer Where it goes.
 * @param source Where it comes from.
 * @returns Its id and size.
 * @throws {TypeError} If it is something else, or a piece no `Uint8Array`.
 * @throws What the source fails with.
 */
export async function writeContent(
  writer: ContentWriter,
  source: ContentSource,
): Promise<WrittenContent> {
  let size = 0;
  writer.begin(sizeOf(source));
  for await (const piece of piecesOf(source)) {
    checkBytes(piece, "piece of content");
    size += piece.length;
    await writer.write(piece);
  }
  return { id: await writer.end(), size };
}

function sizeOf(source: ContentSource): number | undefined {
  if (source instanceof Uint8Array) return source.length;
  return source instanceof Blob ? source.size : undefined;
}

function piecesOf(
  source: ContentSource,
): AsyncIterable<Uint8Array> | Uint8Array[] {
  if (source instanceof Uint8Array) return [source];
  if (source instanceof Blob) return source.stream();
  if (Symbol.asyncIterator in Object(source)) return source;
  const need = "a Uint8Array, a Blob or an async iterable";
  throw argumentError({ content: source }, { action: "store", need });
}
