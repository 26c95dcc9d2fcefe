// Compresses and decompresses in a loop that does not yield, in a process of
// its own, and prints by how many MiB it grew: see zstd_codec_test.ts.
import { readFileSync } from "node:fs";
import process from "node:process";
import { zstdCodec } from "../codec/zstd_codec.ts";

const LOOP_COUNT = 20_000;

function residentMiB(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) >> 10;
}

const codec = zstdCodec({ level: 1 });
const plain = new Uint8Array(32 << 10);
for (let i = 0; i < plain.length; i++) plain[i] = Math.imul(i, i) >>> 9 & 31;
const out = new Uint8Array(plain.length);
const before = residentMiB();
let most = before;
for (let i = 0; i < LOOP_COUNT; i++) {
  plain[i % plain.length]++;
  codec.decompress(codec.compress(plain)!, out);
  if (i % 100 === 0) most = Math.max(most, residentMiB());
}
if (!out.every((byte, i) => byte === plain[i])) throw new Error("Not equal");
process.stdout.write(`${most - before}\n`);
