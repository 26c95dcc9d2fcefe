import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import {
  BODY_SIZE_MAX,
  decodeDocument,
  DOCUMENT_SIZE_MAX,
  encodeDocument,
} from "./document.ts";
import { DocumentSyntaxError, UnsupportedVersionError } from "../errors.ts";
import { type DocumentKind, encodeHeader } from "../header.ts";

const KINDS: readonly DocumentKind[] = ["RECD", "TAGE", "CONF"];
const saveId = Uint8Array.from({ length: 16 }, (_, i) => i);
const salt = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const body = {
  time: "2026-11-20T05:46:18.123456789Z",
  "n\u00e4me": ["a", 1, null, { deep: true }],
};

Deno.test("decodeDocument reads what encodeDocument wrote", () => {
  for (const kind of KINDS) {
    const bytes = encodeDocument({ kind, saveId, salt, body });
    const document = decodeDocument(kind, bytes);
    deepStrictEqual(document.body, body);
    deepStrictEqual([document.saveId, document.salt], [saveId, salt]);
    strictEqual(bytes.length, 72 + document.bodySize + 32);
  }
});

Deno.test("encodeDocument takes a new salt for each document", () => {
  const one = encodeDocument({ kind: "RECD", saveId, body });
  const two = encodeDocument({ kind: "RECD", saveId, body });
  ok(wasmHasher.idOf(one) !== wasmHasher.idOf(two));
});

Deno.test("decodeDocument refuses a document with any bit flipped", () => {
  for (const kind of KINDS) {
    const bytes = encodeDocument({ kind, saveId, salt, body });
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        bytes[at] ^= 1 << bit;
        throws(
          () => decodeDocument(kind, bytes),
          DocumentSyntaxError,
          `${kind} byte ${at} bit ${bit}`,
        );
        bytes[at] ^= 1 << bit;
      }
    }
    decodeDocument(kind, bytes);
  }
});

Deno.test("decodeDocument asks for a newer program only of what is whole", () => {
  for (const kind of KINDS) {
    for (const at of [8, 12]) {
      const bytes = encodeDocument({ kind, saveId, salt, body });
      bytes[at] ^= 2;
      throws(() => decodeDocument(kind, bytes), DocumentSyntaxError);
      const end = bytes.length - 32;
      wasmHasher.hashInto(bytes.subarray(0, end), bytes, end);
      throws(() => decodeDocument(kind, bytes), UnsupportedVersionError);
    }
  }
});

Deno.test("decodeDocument refuses a document cut short, made longer, or empty", () => {
  const bytes = encodeDocument({ kind: "TAGE", saveId, salt, body });
  for (let size = 0; size < bytes.length; size++) {
    throws(
      () => decodeDocument("TAGE", bytes.subarray(0, size)),
      DocumentSyntaxError,
      `${size}`,
    );
  }
  throws(
    () => decodeDocument("TAGE", new Uint8Array([...bytes, 0])),
    DocumentSyntaxError,
  );
  throws(
    () => decodeDocument("TAGE", new Uint8Array(bytes.length)),
    DocumentSyntaxError,
  );
});

Deno.test("decodeDocument refuses another kind", () => {
  const bytes = encodeDocument({ kind: "RECD", saveId, body });
  throws(() => decodeDocument("TAGE", bytes), DocumentSyntaxError);
});

Deno.test("decodeDocument tells damage from a newer program", () => {
  const bytes = encodeDocument({ kind: "CONF", saveId, body, readFeatures: 2 });
  throws(() => decodeDocument("CONF", bytes), UnsupportedVersionError);
  const writers = encodeDocument({
    kind: "CONF",
    saveId,
    body,
    writeFeatures: 2,
  });
  strictEqual(decodeDocument("CONF", writers).writeFeatures, 2);
});

Deno.test("decodeDocument refuses a body that is no JSON object", () => {
  const bodies = ["", "[]", "null", "1", '"a"', "{", "{}{}", "\ufeff{}", "{}\0"]
    .map((text) => new TextEncoder().encode(text));
  for (
    const bytes of [
      ...bodies,
      Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d),
    ]
  ) {
    throws(
      () => decodeDocument("RECD", seal(bytes)),
      DocumentSyntaxError,
      `${bytes}`,
    );
  }
  deepStrictEqual(
    decodeDocument("RECD", seal(new TextEncoder().encode(" {} "))).body,
    {},
  );
});

Deno.test("documents have a largest size on both ways", () => {
  const text = "x".repeat(BODY_SIZE_MAX - '{"a":""}'.length);
  const largest = encodeDocument({ kind: "RECD", saveId, body: { a: text } });
  strictEqual(largest.length, DOCUMENT_SIZE_MAX);
  strictEqual(decodeDocument("RECD", largest).body.a, text);
  throws(
    () => encodeDocument({ kind: "RECD", saveId, body: { a: `${text}x` } }),
    RangeError,
  );
  throws(
    () => decodeDocument("RECD", seal(new Uint8Array(BODY_SIZE_MAX + 1))),
    DocumentSyntaxError,
  );
});

Deno.test("decodeDocument believes no size before it has counted", () => {
  const header = encodeHeader({
    kind: "RECD",
    saveId,
    salt,
    bodySize: 0xffff_ffff,
  });
  throws(() => decodeDocument("RECD", header), {
    message:
      "Cannot read document as its body of 4294967295 bytes needs 4294967399 bytes: found 72",
  });
});

/** A document around any body, with a checksum that is right. */
function seal(body: Uint8Array): Uint8Array {
  const end = 72 + body.length;
  const bytes = new Uint8Array(end + 32);
  bytes.set(
    encodeHeader({ kind: "RECD", saveId, salt, bodySize: body.length }),
  );
  bytes.set(body, 72);
  wasmHasher.hashInto(bytes.subarray(0, end), bytes, end);
  return bytes;
}
