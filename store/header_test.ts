import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { DocumentSyntaxError, UnsupportedVersionError } from "./errors.ts";
import {
  checkWriteFeatures,
  decodeHeader,
  encodeHeader,
  type FileKind,
  HEADER_SIZE,
  LEASES_FEATURE,
  saveIdOf,
} from "./header.ts";

const saveId = Uint8Array.from({ length: 16 }, (_, i) => 16 + i);
const salt = Uint8Array.from({ length: 32 }, (_, i) => 64 + i);

Deno.test("encodeHeader writes the bytes of the format", () => {
  const bytes = encodeHeader({
    kind: "CONF",
    readFeatures: 0x04030201,
    writeFeatures: 0xff000000,
    bodySize: 258,
    saveId,
    salt,
  });
  const text = new TextEncoder().encode("snapCONF");
  const numbers = [1, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 255, 2, 1, 0, 0];
  deepStrictEqual([...bytes], [...text, ...numbers, ...saveId, ...salt]);
});

Deno.test("decodeHeader reads what encodeHeader wrote, wherever it lies", () => {
  for (
    const kind of [
      "PACK",
      "INDX",
      "RECD",
      "TAGE",
      "CONF",
      "LEAS",
      "GCLG",
    ] as FileKind[]
  ) {
    const bytes = new Uint8Array(100);
    bytes.set(encodeHeader({ kind, saveId, salt }), 7);
    deepStrictEqual(decodeHeader(kind, bytes.subarray(7)), {
      kind,
      version: 1,
      readFeatures: 0,
      writeFeatures: 0,
      bodySize: 0,
      saveId,
      salt,
    });
  }
});

Deno.test("decodeHeader refuses what is no header", () => {
  const bytes = encodeHeader({ kind: "PACK", saveId, salt });
  throws(() => decodeHeader("INDX", bytes), {
    name: "DocumentSyntaxError",
    message: "Cannot read header as its kind must be INDX: found PACK",
    offset: 4,
  });
  for (let size = 0; size < HEADER_SIZE; size++) {
    throws(
      () => decodeHeader("PACK", bytes.subarray(0, size)),
      DocumentSyntaxError,
    );
  }
  for (let i = 0; i < 24; i++) {
    const damaged = bytes.slice();
    damaged[i] ^= 0x10;
    if (i >= 16 && i < 20) {
      strictEqual(decodeHeader("PACK", damaged).writeFeatures > 0, true);
    } else throws(() => decodeHeader("PACK", damaged), `byte ${i}`);
  }
});

Deno.test("decodeHeader refuses versions and read features that it does not know", () => {
  const bytes = encodeHeader({ kind: "PACK", saveId, salt });
  bytes[8] = 2;
  throws(() => decodeHeader("PACK", bytes), (error) => {
    return error instanceof UnsupportedVersionError && error.version === 2 &&
      error.features === 0;
  });
  const later = encodeHeader({
    kind: "PACK",
    readFeatures: 0x80000000,
    saveId,
    salt,
  });
  throws(() => decodeHeader("PACK", later), {
    name: "UnsupportedVersionError",
    message:
      "Cannot read the file: it uses features that are not known here (0x80000000)",
    features: 0x80000000,
  });
});

Deno.test("checkWriteFeatures stops a writer and no reader", () => {
  const header = decodeHeader(
    "PACK",
    encodeHeader({
      ...{ kind: "PACK", writeFeatures: LEASES_FEATURE | 2 },
      ...{ saveId, salt },
    }),
  );
  throws(() => checkWriteFeatures(header), {
    name: "UnsupportedVersionError",
    features: 2,
  });
  checkWriteFeatures({ writeFeatures: LEASES_FEATURE });
});

Deno.test("encodeHeader refuses sizes that would move its fields", () => {
  throws(
    () => encodeHeader({ kind: "PACK", saveId: new Uint8Array(15), salt }),
    RangeError,
  );
  throws(
    () => encodeHeader({ kind: "PACK", saveId, salt: new Uint8Array(33) }),
    RangeError,
  );
  throws(
    () => encodeHeader({ kind: "CONF", bodySize: 2 ** 32, saveId, salt }),
    RangeError,
  );
});

Deno.test("saveIdOf finds the save id of any file of a store, and of nothing else", () => {
  deepStrictEqual(
    saveIdOf(encodeHeader({ kind: "INDX", saveId, salt })),
    saveId,
  );
  strictEqual(saveIdOf(new Uint8Array(HEADER_SIZE)), undefined);
  strictEqual(saveIdOf(new Uint8Array(0)), undefined);
});
