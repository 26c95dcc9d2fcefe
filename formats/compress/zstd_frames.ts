import * as zlib from "node:zlib";
import { ArchiveBytes } from "../archive_bytes.ts";
import { ArchiveSyntaxError, ImportError } from "../errors.ts";
import { decoded } from "./decoded.ts";
import { Xxh64 } from "./xxh64.ts";

const MAGIC = 0xfd2fb528;
/** Frames with something else in them, which are passed: the upper 28 bits of their magic. */
const SKIPPABLE = 0x184d2a5;
/** Largest window that is read: what `zstd --long` of 27 bits needs. */
const WINDOW_SIZE_MAX = 2 ** 27;
const BLOCK_SIZE_MAX = 128 * 1024;

/** What the header of a frame says. */
interface FrameHeader {
  readonly bytes: Uint8Array;
  /** Plain bytes of the frame, where it says so. */
  readonly plainSize: number | undefined;
  readonly hasSum: boolean;
}

/**
 * Decompresses frames of zstd one after the other. Where each ends is read here, and
 * so are sizes and sums: the decoders of the runtimes look at none of these.
 *
 * @param pieces The frames, in pieces of any size.
 * @throws {ArchiveSyntaxError} If a frame is damaged, or ends too early.
 */
export async function* plainZstd(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  if (typeof zlib.createZstdDecompress !== "function") {
    throw new ImportError(
      "Cannot import archive as it is compressed by zstd: needs Deno, or Node 22.15 or newer",
      "zstd -dc ARCHIVE | and a SOURCE of - reads what another program decompresses",
    );
  }
  const bytes = new ArchiveBytes(pieces);
  for (;;) {
    const first = await bytes.some(1);
    if (first.length === 0) return;
    const start = bytes.offset - 1;
    const magic = Uint8Array.of(first[0], ...await bytes.take(3, zstd));
    const number = uint(magic);
    if (number >>> 4 === SKIPPABLE) {
      await bytes.skip(uint(await bytes.take(4, zstd)), zstd);
    } else if (number === MAGIC) yield* plainFrame(bytes, magic);
    else {
      throw new ArchiveSyntaxError(
        "Cannot read archive as no frame of zstd begins where one has to",
        start,
      );
    }
  }
}

async function* plainFrame(
  bytes: ArchiveBytes,
  magic: Uint8Array,
): AsyncGenerator<Uint8Array, void, void> {
  const start = bytes.offset - magic.length;
  const header = await readHeader(bytes, magic);
  const sum = header.hasSum ? new Xxh64() : undefined;
  let size = 0;
  const pieces = decoded(
    frameBytes(bytes, header),
    zlib.createZstdDecompress(),
    (reason) => damaged(start, reason),
  );
  for await (const piece of pieces) {
    size += piece.length;
    sum?.update(piece);
    yield piece;
  }
  if (size !== (header.plainSize ?? size)) {
    throw damaged(start, `${header.plainSize} plain bytes became ${size}`);
  }
  if (sum === undefined) return;
  if (uint(await bytes.take(4, zstd)) !== sum.low32()) {
    throw damaged(start, "the plain bytes have another sum");
  }
}

/** Gives the bytes of a frame, but its sum: the decoder of Deno has none behind the last block. */
async function* frameBytes(
  bytes: ArchiveBytes,
  header: FrameHeader,
): AsyncGenerator<Uint8Array, void, void> {
  yield header.bytes;
  for (let isLast = false; !isLast;) {
    const block = (await bytes.take(3, zstd)).slice();
    const number = uint(block);
    isLast = (number & 1) === 1;
    const type = (number >> 1) & 3;
    if (type === 3 || number >> 3 > BLOCK_SIZE_MAX) {
      throw damaged(bytes.offset - 3, "a block is none");
    }
    yield block;
    // A block of one byte that repeats tells how often.
    for (let left = type === 1 ? 1 : number >> 3; left > 0;) {
      const piece = await bytes.some(left);
      if (piece.length === 0) await bytes.take(1, zstd);
      left -= piece.length;
      yield piece.slice();
    }
  }
}

async function readHeader(
  bytes: ArchiveBytes,
  magic: Uint8Array,
): Promise<FrameHeader> {
  const [descriptor] = await bytes.take(1, zstd);
  if ((descriptor & 0b1011) !== 0) {
    throw damaged(bytes.offset - 1, "it needs a dictionary");
  }
  const isSingle = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  const sizeSize = flag === 0 ? Number(isSingle) : 1 << flag;
  const windowSize = isSingle ? 0 : 1;
  const fields = (await bytes.take(windowSize + sizeSize, zstd)).slice();
  if (!isSingle) {
    const exponent = fields[0] >> 3, eighths = fields[0] & 7;
    if (2 ** (10 + exponent) * (1 + eighths / 8) > WINDOW_SIZE_MAX) {
      throw damaged(
        bytes.offset - fields.length,
        `it needs a window above ${WINDOW_SIZE_MAX} bytes`,
      );
    }
  }
  const told = uint(fields.subarray(windowSize));
  // As the format has it: two bytes begin at 256.
  const plainSize = sizeSize === 2 ? told + 256 : told;
  // The sum is looked at here.
  const head = Uint8Array.of(...magic, descriptor & ~4, ...fields);
  return {
    bytes: head,
    plainSize: sizeSize === 0 ? undefined : plainSize,
    hasSum: (descriptor & 4) !== 0,
  };
}

const zstd = (): string => "archive compressed by zstd";

function damaged(offset: number, reason: string): ArchiveSyntaxError {
  return new ArchiveSyntaxError(
    `Cannot read archive as it cannot be decompressed by zstd: ${reason}`,
    offset,
  );
}

/** A number, the lowest byte first. */
function uint(bytes: Uint8Array): number {
  let value = 0;
  for (let at = bytes.length; at-- > 0;) value = value * 256 + bytes[at];
  return value;
}
