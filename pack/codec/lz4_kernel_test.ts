import { deepEqual, equal, ok } from "node:assert/strict";
import { type Prng, seededTest } from "../../tests/_prng.ts";
import { LZ4_WASM } from "./lz4_wasm.ts";
import { lz4Codec } from "./lz4_codec.ts";

interface Kernel {
  readonly memory: WebAssembly.Memory;
  compress(from: number, size: number, to: number): number;
  decompress(from: number, size: number, to: number, plain: number): number;
}

const FROM = 200_000;
const TO = 400_000;
const SLACK = 32;
const ZONE = 256;

const wasm = Uint8Array.from(atob(LZ4_WASM), (digit) => digit.charCodeAt(0));
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
const kernel = exports as unknown as Kernel;
const memory = new Uint8Array(kernel.memory.buffer);

function isFilled(start: number, end: number, byte: number): boolean {
  return memory.subarray(start, end).every((found) => found === byte);
}

/** Runs with all that surrounds the input and the output set to one byte. */
function decompress(stored: Uint8Array, plainSize: number, byte: number) {
  memory.fill(byte, FROM - ZONE, FROM + stored.length + ZONE);
  memory.fill(byte, TO - ZONE, TO + plainSize + ZONE);
  memory.set(stored, FROM);
  const result = kernel.decompress(FROM, stored.length, TO, plainSize);
  ok(isFilled(FROM - ZONE, FROM, byte));
  ok(isFilled(FROM + stored.length, FROM + stored.length + ZONE, byte));
  ok(isFilled(TO - ZONE, TO, byte));
  ok(isFilled(TO + plainSize + SLACK, TO + plainSize + ZONE, byte));
  return { result, plain: memory.slice(TO, TO + plainSize) };
}

function damage(prng: Prng, sound: Uint8Array): Uint8Array {
  const stored = sound.slice(0, prng.pick([1, prng.unit()]) * sound.length);
  for (let n = prng.below(4); n > 0 && stored.length > 0; n--) {
    stored[prng.below(stored.length)] = prng.pick([0, 255, prng.below(256)]);
  }
  return stored;
}

seededTest(
  "decompress of the kernel depends on nothing but its input",
  (prng) => {
    const plain = new Uint8Array(20 + prng.below(400));
    for (let i = 0; i < plain.length; i++) {
      plain[i] = prng.pick([1, plain[Math.max(0, i - 3)], prng.below(256)]);
    }
    const sound = lz4Codec.compress(plain)?.slice() ?? prng.bytes(40);
    for (let i = 0; i < 500; i++) {
      const stored = damage(prng, sound);
      const one = decompress(stored, plain.length, 0);
      const other = decompress(stored, plain.length, 0xa5);
      equal(one.result, other.result);
      if (one.result >= 0) {
        equal(one.result, stored.length);
        deepEqual(one.plain, other.plain);
      } else ok(~one.result <= stored.length);
    }
  },
  { roundCount: 40 },
);

seededTest("compress of the kernel writes within its bound", (prng) => {
  const plain = prng.bytes(prng.below(prng.pick([20, 3000])));
  const bound = plain.length + Math.floor(plain.length / 255) + 16;
  memory.fill(0xa5, FROM, FROM + plain.length + ZONE);
  memory.fill(0xa5, TO - ZONE, TO + bound + SLACK + ZONE);
  memory.set(plain, FROM);
  const size = kernel.compress(FROM, plain.length, TO);
  ok(size <= bound);
  ok(isFilled(TO - ZONE, TO, 0xa5));
  ok(isFilled(TO + bound + SLACK, TO + bound + SLACK + ZONE, 0xa5));
  equal(kernel.decompress(TO, size, FROM + 50_000, plain.length), size);
}, { roundCount: 300 });
