import * as zlib from "node:zlib";
import { ArchiveSyntaxError, ImportError } from "../errors.ts";
import { decoded } from "./decoded.ts";
import { plainZstd } from "./zstd_frames.ts";

/** The first bytes by which the ways of compression are known. */
const MAGICS = [
  { name: "gzip", magic: [0x1f, 0x8b] },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68] },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
] as const;
const MAGIC_SIZE_MAX = 6;

/**
 * Decompresses an archive, which tells by its first bytes how it is compressed.
 *
 * @param pieces The archive, in pieces of any size.
 * @returns The plain archive.
 * @throws {ImportError} If it is compressed in a way that cannot be read here.
 * @throws {ArchiveSyntaxError} If it cannot be decompressed.
 */
export async function* plainArchive(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const source = pieces[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let size = 0, isEnd = false;
  while (size < MAGIC_SIZE_MAX && !isEnd) {
    const { done, value } = await source.next();
    if (done) isEnd = true;
    else {
      first.push(value);
      size += value.length;
    }
  }
  const all = chained(first, source);
  const start = Buffer.concat(first).subarray(0, MAGIC_SIZE_MAX);
  const found = MAGICS.find(({ magic }) =>
    magic.every((byte, i) => start[i] === byte)
  );
  if (found === undefined) yield* all;
  else if (found.name === "zstd") yield* plainZstd(all);
  else if (found.name === "gzip") yield* plainGzip(all);
  else {
    throw new ImportError(
      `Cannot import archive as it is compressed by ${found.name}`,
      `${found.name} -dc ARCHIVE | and a SOURCE of - reads what another program decompresses`,
    );
  }
}

function plainGzip(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  return decoded(pieces, zlib.createGunzip(), (reason, offset) => {
    return new ArchiveSyntaxError(
      `Cannot read archive as it cannot be decompressed by gzip: ${reason}`,
      offset,
    );
  });
}

async function* chained(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* first;
    for (;;) {
      const { done, value } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}
