import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import { ProofFile } from "./proof_file.ts";

const KEYS = ["a", "b", "c"].map((digit) => digit.repeat(64));

function valueOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}

Deno.test("proofs are there in the next run, and none of them if the file is damaged at any byte", async () => {
  using folder = new TemporaryFolder();
  const path = folder.join("cache", "proofs");
  const proofs = await ProofFile.read(path);
  KEYS.forEach((key, i) => proofs.set(key, valueOf(i)));
  await proofs.write();
  deepStrictEqual(readdirSync(folder.join("cache")), ["proofs"]);
  const found = async () => {
    const read = await ProofFile.read(path);
    return KEYS.filter((key) => read.get(key) !== undefined);
  };
  const again = await ProofFile.read(path);
  KEYS.forEach((key, i) => deepStrictEqual(again.get(key), valueOf(i)));
  strictEqual(again.get("d".repeat(64)), undefined);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 5) {
    const changed = Uint8Array.from(bytes);
    changed[at] ^= 1;
    writeFileSync(path, changed);
    deepStrictEqual(await found(), []);
    writeFileSync(path, bytes.subarray(0, at));
    deepStrictEqual(await found(), []);
  }
  writeFileSync(path, bytes);
  deepStrictEqual(await found(), KEYS);
});
