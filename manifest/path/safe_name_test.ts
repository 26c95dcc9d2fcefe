import { ok, strictEqual } from "node:assert/strict";
import { checkName, checkTarget } from "./safe_name.ts";
import { hex, utf8 } from "../testdata/golden.ts";

Deno.test("checkName takes any bytes but NUL and slash", () => {
  for (let byte = 1; byte < 256; byte++) {
    const isSafe = byte !== 0x2f && byte !== 0x2e;
    strictEqual(
      checkName(Uint8Array.of(byte), 0, 1) === undefined,
      isSafe,
      `${byte}`,
    );
  }
  for (const name of ["...", ".a", "..a", "a.", " ", "a".repeat(255)]) {
    strictEqual(checkName(utf8(name), 0, name.length), undefined, name);
  }
});

Deno.test("checkName says what is wrong", () => {
  const names: [string, string][] = [
    ["", "a name must have 1 to 255 bytes"],
    ["a".repeat(256), "a name must have 1 to 255 bytes"],
    ["a\0", "a name must not contain NUL"],
    ["/a", "a name must not contain a slash"],
    [".", 'a name must not be "." or ".."'],
    ["..", 'a name must not be "." or ".."'],
  ];
  for (const [name, reason] of names) {
    strictEqual(checkName(utf8(name), 0, name.length), reason);
  }
});

Deno.test("checkTarget takes any path of up to 4095 bytes", () => {
  for (
    const target of ["/", "..", "../../etc/passwd", "a//b", "x".repeat(4095)]
  ) {
    strictEqual(checkTarget(utf8(target), 0, target.length), undefined);
  }
  strictEqual(checkTarget(hex("00ff00"), 1, 2), undefined);
  ok(checkTarget(hex("ff00"), 0, 2)?.includes("NUL"));
  ok(checkTarget(hex(""), 0, 0)?.includes("1 to 4095"));
  ok(checkTarget(new Uint8Array(4096).fill(1), 0, 4096)?.includes("1 to 4095"));
});
