import { equal } from "node:assert/strict";
import { crc32 as zlibCrc32 } from "node:zlib";
import { crc32, portableCrc32 } from "./crc32.ts";

Deno.test("crc32() is that of zlib, before and after zlib is loaded", () => {
  const page = new Uint8Array(1 << 20);
  for (let i = 0; i < page.length; i++) page[i] = i * i >>> 7;
  for (let round = 0; round < 18; round++) {
    equal(crc32(page), zlibCrc32(page));
    for (const size of [0, 1, 2, 3, 1000]) {
      const some = page.subarray(round, round + size);
      equal(crc32(some), zlibCrc32(some));
    }
  }
});

Deno.test("portableCrc32() is that of zlib", () => {
  const bytes = Uint8Array.from({ length: 4092 }, (_, i) => 255 - i % 251);
  for (let size = 0; size < 70; size++) {
    const some = bytes.subarray(size);
    equal(portableCrc32(some), zlibCrc32(some));
  }
});
