import { Readable, type Transform } from "node:stream";

/**
 * Passes bytes through a decoder.
 *
 * @param pieces What is decoded; its own errors are thrown as they are.
 * @param decoder Ended in any case.
 * @param failed Makes the error of what cannot be decoded, with the bytes that came before.
 */
export async function* decoded(
  pieces: AsyncIterable<Uint8Array>,
  decoder: Transform,
  failed: (reason: string, byteCount: number) => Error,
): AsyncGenerator<Uint8Array, void, void> {
  const source = Readable.from(pieces, { objectMode: false });
  let failure: unknown;
  source.on("error", (error) => decoder.destroy(failure = error));
  source.pipe(decoder);
  let byteCount = 0;
  try {
    for await (const piece of decoder) {
      byteCount += piece.length;
      yield piece;
    }
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw failed(
      `${error instanceof Error ? error.message : error}`,
      byteCount,
    );
  } finally {
    source.destroy();
    decoder.destroy();
  }
}
