import { equal } from "node:assert/strict";
import { INDEX_PAGE_SIZE } from "./index_table.ts";
import { PageCache } from "./page_cache.ts";

Deno.test("PageCache finds what it holds, and nothing else", () => {
  for (const pageCount of [1, 2, 3, 7, 64]) {
    const cache = new PageCache(pageCount);
    const page = new Uint8Array(INDEX_PAGE_SIZE);
    const numberAt = (at: number): number =>
      new DataView(cache.bytes.buffer).getUint32(at);
    let state = pageCount;
    for (let i = 0; i < 5000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const table = state % 5;
      const number = state >>> 8 & 31;
      new DataView(page.buffer).setUint32(0, table * 100 + number);
      cache.put(table, number, page);
      equal(numberAt(cache.find(table, number)), table * 100 + number);
      let heldCount = 0;
      for (let other = 0; other < 5 * 32; other++) {
        const at = cache.find(other % 5, Math.floor(other / 5));
        if (at < 0) continue;
        heldCount++;
        equal(numberAt(at), other % 5 * 100 + Math.floor(other / 5));
      }
      equal(heldCount <= pageCount, true);
    }
  }
});
