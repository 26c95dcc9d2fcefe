import { type Hasher, hexOf, ID_SIZE } from "@snap/hash";
import { ObjectKind, type PackRole } from "@snap/pack";
import type { FrameDecoders } from "@snap/pack/codecs";
import { ObjectCheck } from "@snap/pack/read";
import { FrameDecoder } from "@snap/pack/recipe-content";
import type { CheckedFrame } from "@snap/pack/sink";
import {
  decodePackFooter,
  PACK_FOOTER_SIZE,
  PACK_HEADER_SIZE,
  readPackTable,
  rowsByFrame,
} from "@snap/pack/write";
import { decodeHeader, UnsupportedVersionError } from "@snap/store";
import { SyncError } from "../errors.ts";

/** Where the mark of a root stands in a node of a recipe. */
const ROOT_MARK = 5;

/** Tools that a pack that was sent is read with. */
export interface OpenPackOptions {
  readonly hasher: Hasher;
  readonly decoders?: FrameDecoders;
  /** The save id that it must have; any if left out. */
  readonly saveId?: Uint8Array;
}

/**
 * Reads a pack that was sent, and checks every byte of it that is handed on.
 *
 * @param bytes The pack.
 * @param options What hashes.
 * @returns Its frames; each good until the next.
 * @throws {SyncError} If it is no pack (`FORMAT`), or an object has another id (`MISMATCH`).
 */
export function* openPack(
  bytes: Uint8Array,
  options: OpenPackOptions,
): Generator<CheckedFrame, void> {
  const { hasher, saveId, decoders } = options;
  const { table, role, saveId: found } = readTable(bytes, hasher);
  if (saveId !== undefined && hexOf(found) !== hexOf(saveId)) {
    refuse(`its save id is ${hexOf(saveId)}`, hexOf(found));
  }
  const check = new ObjectCheck(hasher);
  const decoder = new FrameDecoder(decoders);
  for (const { frame, rows } of rowsByFrame(table)) {
    const start = table.frameOffset(frame);
    const stored = bytes.subarray(start, start + table.storedSize(frame));
    const plainSize = table.plainSize(frame), codecTag = table.codecTag(frame);
    let plain: Uint8Array;
    try {
      plain = decoder.decode(codecTag, stored, plainSize);
    } catch (cause) {
      throw new SyncError(
        "Cannot take a pack: a frame of it cannot be decoded",
        { code: "MISMATCH", cause },
      );
    }
    for (let row = 0; row < rows.count; row++) {
      const at = rows.offsets[row];
      const object = plain.subarray(at, at + rows.sizes[row]);
      if (check.matches(object, rows.kinds[row], rows.ids, ID_SIZE * row)) {
        continue;
      }
      const id = hexOf(
        rows.ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE),
      );
      throw new SyncError(
        `Cannot take object ${id}: its bytes have another id`,
        { code: "MISMATCH" },
      );
    }
    yield {
      stored,
      plain,
      plainSize,
      codecTag,
      crc: table.crc(frame),
      rows,
      role,
    };
  }
}

/** Whether an object is the root of a recipe. */
export function isRecipeRoot(bytes: Uint8Array, kind: number): boolean {
  return kind === ObjectKind.recipe && bytes[ROOT_MARK] === 1;
}

function readTable(
  bytes: Uint8Array,
  hasher: Hasher,
): {
  readonly table: ReturnType<typeof readPackTable>;
  readonly role: PackRole;
  readonly saveId: Uint8Array;
} {
  if (bytes.length < PACK_HEADER_SIZE + PACK_FOOTER_SIZE) {
    refuse("it has a header and an end", `${bytes.length} bytes`);
  }
  try {
    const size = bytes.length;
    const end = size - PACK_FOOTER_SIZE;
    const footer = decodePackFooter(bytes.subarray(end), size);
    const tableBytes = bytes.subarray(footer.tableOffset, end);
    const table = readPackTable(tableBytes, footer, hasher);
    const header = bytes.subarray(0, PACK_HEADER_SIZE);
    const { saveId } = decodeHeader("PACK", header);
    return { table, role: footer.role as PackRole, saveId };
  } catch (cause) {
    const isNewer = cause instanceof UnsupportedVersionError;
    if (!isNewer && !(cause instanceof SyntaxError)) throw cause;
    throw new SyncError(`Cannot take a pack: ${cause.message}`, {
      code: isNewer ? "FEATURES" : "FORMAT",
      cause,
    });
  }
}

function refuse(need: string, found: string): never {
  throw new SyncError(`Cannot take a pack as ${need}: found ${found}`, {
    code: "FORMAT",
  });
}
