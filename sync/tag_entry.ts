import { decodeSlot, encodeDocument, type TagEntry } from "@snap/store/format";
import { SyncError } from "./errors.ts";

/**
 * Reads an entry of a tag that came from outside: its form is that of a slot.
 *
 * @param bytes The entry, as JSON.
 * @returns The entry.
 * @throws {SyncError} If it is none.
 */
export function decodeTagEntry(bytes: Uint8Array): TagEntry {
  try {
    const entry = JSON.parse(new TextDecoder().decode(bytes)) as TagEntry;
    const { time, tree, record, nonce, saveId } = entry;
    const body = { time, tree, record, nonce, saveId };
    const slot = { ...body, head: body, count: 1, sum: "0".repeat(64) };
    const document = encodeDocument({
      kind: "TAGE",
      saveId: new Uint8Array(16),
      body: slot,
    });
    return decodeSlot("tags/main/1", document).entry;
  } catch (cause) {
    throw new SyncError("Cannot read an entry of a tag", {
      code: "FORMAT",
      cause,
    });
  }
}
