// Checks small objects in a loop that never yields and says how the memory of the
// process grew: `check_many.ts <wasm | native | leak> <number of checks>`.
// `leak` makes a native hasher for each check, as nobody should.
import process from "node:process";
import { type Hasher, TREE_CONTEXT } from "../hasher.ts";
import { equalBytes } from "../id.ts";
import { wasmHasher } from "../wasm_hasher.ts";

const WARM_UP_COUNT = 50_000;
const OBJECT_SIZE = 200;

const [kind, countText] = process.argv.slice(2);
const hasher: Hasher = kind === "wasm"
  ? wasmHasher
  : (await import("../native.ts")).nativeHasher();
const stream = hasher.stream();
const object = new Uint8Array(OBJECT_SIZE).fill(7);
const ids = new Uint8Array(96);

function check(count: number): void {
  for (let i = 0; i < count; i++) {
    object[i % OBJECT_SIZE] = i;
    const user = kind === "leak" ? hasher.stream() : stream;
    user.reset();
    user.update(object);
    user.digestInto(ids, 64);
    hasher.deriveInto(TREE_CONTEXT, object, ids, 32);
    hasher.hashInto(object, ids);
    if (!equalBytes(ids, 0, ids, 64, 32) || equalBytes(ids, 0, ids, 32, 32)) {
      throw new Error(`Cannot go on as check ${i} failed`);
    }
  }
}

check(WARM_UP_COUNT);
const before = process.memoryUsage().rss;
check(Number(countText));
const growth = process.memoryUsage().rss - before;
console.log(JSON.stringify({ name: hasher.name, growth }));
