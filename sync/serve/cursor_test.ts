import { deepStrictEqual, throws } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { type Message, SectionKind } from "../protocol/message.ts";
import { cursorMarker, cursorSection, readCursor } from "./cursor.ts";

function messageAbout(record: number, session = 0): Message {
  const bytes = new Uint8Array(36).fill(record);
  return {
    ...{ verb: 7, type: 0, limit: 0 },
    session: new Uint8Array(16).fill(session),
    request: new Uint8Array(16),
    sections: [{ kind: SectionKind.ids, rows: 1, bytes }],
  };
}

const CURSOR = { record: 0, place: [3, 1], entryCount: 12 };

Deno.test("a cursor leads on where it was made", () => {
  const marker = { hasher, macKey: new Uint8Array(32).fill(5) };
  const one = cursorMarker(marker, messageAbout(1));
  deepStrictEqual(readCursor(cursorSection(CURSOR, one), one), CURSOR);
  deepStrictEqual(readCursor(undefined, one).place, []);
});

Deno.test("a cursor of another record, session or server is refused", () => {
  const marker = { hasher, macKey: new Uint8Array(32).fill(5) };
  const section = cursorSection(CURSOR, cursorMarker(marker, messageAbout(1)));
  const other = { hasher, macKey: new Uint8Array(32).fill(6) };
  for (
    const wrong of [
      cursorMarker(marker, messageAbout(1, 7)),
      cursorMarker(marker, messageAbout(2)),
      cursorMarker(other, messageAbout(1)),
    ]
  ) {
    throws(() => readCursor(section, wrong), { code: "SESSION" });
  }
});
