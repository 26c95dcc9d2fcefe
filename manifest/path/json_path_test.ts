import { deepStrictEqual } from "node:assert/strict";
import { jsonPath, toBase64 } from "./json_path.ts";

Deno.test("jsonPath: text where it is UTF-8, bytes beside it where not", () => {
  const utf8 = new TextEncoder().encode("\ufeffä/\u{1f600}\n");
  deepStrictEqual(jsonPath("path", utf8), { path: "\ufeffä/\u{1f600}\n" });
  deepStrictEqual(jsonPath("target", Uint8Array.of(0xff, 0x61)), {
    target: "\ufffda",
    targetBytes: "/2E=",
  });
  deepStrictEqual(jsonPath("path", new Uint8Array(0)), { path: "" });
});

Deno.test("toBase64: also of many bytes", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7);
  const back = Uint8Array.from(atob(toBase64(bytes)), (c) => c.charCodeAt(0));
  deepStrictEqual(back, bytes);
});
