import { strictEqual, throws } from "node:assert/strict";
import { noise } from "../tests/_test_bytes.ts";
import { BlakeSpan, joinSpans, SPAN_SIZE } from "./blake_span.ts";
import { type HashContext, TREE_CONTEXT } from "./hasher.ts";
import { nativeHasher } from "./native.ts";
import { wasmHasher } from "./wasm_hasher.ts";

/** The id of an object by its spans, the last one first. */
function idBySpans(content: Uint8Array, context?: HashContext): string {
  const count = Math.ceil(content.length / SPAN_SIZE);
  const values = new Uint8Array(32 * count);
  for (let i = count - 1; i >= 0; i--) {
    const span = new BlakeSpan(i * SPAN_SIZE, context);
    const bytes = content.subarray(i * SPAN_SIZE, (i + 1) * SPAN_SIZE);
    const cut = Math.min(bytes.length, 1_000_003);
    span.update(bytes.subarray(0, cut));
    span.update(bytes.subarray(cut));
    span.valueInto(values, 32 * i);
  }
  const id = new Uint8Array(32);
  joinSpans(values, id, context);
  return id.toHex();
}

const large = noise(5, 1 << 20);
function contentOf(size: number): Uint8Array {
  const content = new Uint8Array(size);
  for (let at = 0; at < size; at += large.length) {
    content.set(large.subarray(0, Math.min(large.length, size - at)), at);
    content[at] = at >> 20;
  }
  return content;
}

Deno.test("spans join to the id of the whole, whatever the sizes", () => {
  const native = nativeHasher();
  for (
    const size of [
      SPAN_SIZE + 1,
      SPAN_SIZE + 65_536,
      2 * SPAN_SIZE,
      3 * SPAN_SIZE - 1,
      5 * SPAN_SIZE + 12_345,
    ]
  ) {
    const content = contentOf(size);
    strictEqual(idBySpans(content), native.idOf(content), `${size} bytes`);
  }
});

Deno.test("spans of a tree join to its id under its context", () => {
  const content = contentOf(SPAN_SIZE + 777);
  const id = new Uint8Array(32);
  wasmHasher.deriveInto(TREE_CONTEXT, content, id);
  strictEqual(idBySpans(content, TREE_CONTEXT), id.toHex());
});

Deno.test("spans of zeros join to the id of the whole", () => {
  const size = 2 * SPAN_SIZE + 99;
  const values = new Uint8Array(96);
  for (let i = 0; i < 3; i++) {
    const span = new BlakeSpan(i * SPAN_SIZE);
    let left = Math.min(SPAN_SIZE, size - i * SPAN_SIZE);
    while (left > 0) left -= span.updateZeros(left);
    span.valueInto(values, 32 * i);
  }
  const id = new Uint8Array(32);
  joinSpans(values, id);
  strictEqual(id.toHex(), nativeHasher().idOf(new Uint8Array(size)));
});

Deno.test("a span holds to its size and its place", () => {
  throws(() => new BlakeSpan(1), RangeError);
  throws(() => new BlakeSpan(-SPAN_SIZE), RangeError);
  const span = new BlakeSpan(SPAN_SIZE);
  throws(() => span.valueInto(new Uint8Array(32)), RangeError);
  span.update(new Uint8Array(SPAN_SIZE));
  throws(() => span.update(new Uint8Array(1)), RangeError);
  throws(() => span.updateZeros(1), RangeError);
  throws(() => joinSpans(new Uint8Array(32), new Uint8Array(32)), RangeError);
  throws(() => joinSpans(new Uint8Array(65), new Uint8Array(32)), RangeError);
});
