import { strictEqual } from "node:assert/strict";
import { Prng, seededTest } from "../tests/_prng.ts";
import {
  ATTRIBUTES_CONTEXT,
  type HashStream,
  RECIPE_CONTEXT,
  TREE_CONTEXT,
} from "./hasher.ts";
import { idFromBytes } from "./id.ts";
import { nativeHasher } from "./native.ts";
import { wasmHasher } from "./wasm_hasher.ts";

const native = nativeHasher();
const CONTEXTS = [TREE_CONTEXT, ATTRIBUTES_CONTEXT, RECIPE_CONTEXT] as const;

Deno.test("wasmHasher agrees with the native one on every size to 5100", () => {
  const content = new Prng(2).bytes(5100);
  const out = new Uint8Array(64);
  for (let size = 0; size <= content.length; size++) {
    const bytes = content.subarray(content.length - size);
    strictEqual(wasmHasher.idOf(bytes), native.idOf(bytes), `${size}`);
    const context = CONTEXTS[size % 3];
    wasmHasher.deriveInto(context, bytes, out);
    native.deriveInto(context, bytes, out, 32);
    strictEqual(
      idFromBytes(out),
      idFromBytes(out, 32),
      `${context} of ${size}`,
    );
  }
});

Deno.test("wasmHasher agrees around every number of chunks and blocks", () => {
  const content = new Prng(3).bytes(9 * 65_536 + 2);
  for (let border = 1024; border < content.length; border += 1024) {
    const isNearBlock = (border + 1024) % 65_536 <= 2048;
    if (border > 70_000 && !isNearBlock) continue;
    for (const size of [border - 1, border, border + 1]) {
      const bytes = content.subarray(0, size);
      strictEqual(wasmHasher.idOf(bytes), native.idOf(bytes), `${size}`);
    }
  }
});

seededTest("wasmHasher streams agree however they are split", (prng) => {
  const content = prng.bytes(prng.below(4 << 20));
  const sizeMax = prng.pick([200, 1025, 65_536, 65_537, 300_000, 4 << 20]);
  const ours = wasmHasher.stream();
  const derived: [HashStream, HashStream][] = CONTEXTS.map((context) => [
    wasmHasher.deriveStream(context),
    native.deriveStream(context),
  ]);
  for (let start = 0; start < content.length;) {
    const end = start + prng.below(sizeMax) + (prng.unit() < 0.9 ? 1 : 0);
    const piece = content.subarray(start, Math.min(end, content.length));
    ours.update(piece);
    for (const pair of derived) pair.forEach((stream) => stream.update(piece));
    start += piece.length;
  }
  strictEqual(ours.digest(), native.idOf(content));
  strictEqual(wasmHasher.idOf(content), native.idOf(content));
  for (const [wasm, other] of derived) {
    strictEqual(wasm.digest(), other.digest());
  }
}, { roundCount: 12 });
