import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import type { ProofCache } from "@snap/sync";
import type { Session } from "../session.ts";
import type { FarCache } from "./opened_store.ts";
import { cacheRoot } from "./with_cache.ts";

const MAGIC = new TextEncoder().encode("snapPRF1");
const HASH_SIZE = 32;
const HEAD_SIZE = MAGIC.length + HASH_SIZE;
const ID_SIZE = 32;
/** Spans that are kept: of 4 TiB of large content. */
const COUNT_MAX = 65_536;

/**
 * What was proved of large content, kept from run to run: a head of 40 bytes (magic,
 * SHA-256 of the rest), then key and value of each span, 32 bytes each.
 */
export class ProofFile implements ProofCache {
  readonly #path: string;
  readonly #values: Map<string, Uint8Array>;
  #isChanged = false;

  private constructor(path: string, values: Map<string, Uint8Array>) {
    this.#path = path;
    this.#values = values;
  }

  /**
   * Reads a file; one that is not there, or damaged, has no proofs.
   *
   * @param path The file.
   */
  static async read(path: string): Promise<ProofFile> {
    const bytes = await readFile(path).catch(() => new Uint8Array(0));
    return new ProofFile(path, decode(new Uint8Array(bytes)));
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Uint8Array): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    this.#isChanged = true;
  }

  /**
   * Writes the file, if there is something new.
   *
   * @throws {Error} If it cannot be written.
   */
  async write(): Promise<void> {
    if (!this.#isChanged) return;
    const rows = [...this.#values].slice(-COUNT_MAX);
    const bytes = new Uint8Array(HEAD_SIZE + 2 * ID_SIZE * rows.length);
    rows.forEach(([key, value], row) => {
      const at = HEAD_SIZE + 2 * ID_SIZE * row;
      bytes.set(Uint8Array.fromHex(key), at);
      bytes.set(value, at + ID_SIZE);
    });
    bytes.set(MAGIC);
    bytes.set(hashOf(bytes), MAGIC.length);
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const unfinished = `${this.#path}.${process.pid}`;
    await writeFile(unfinished, bytes, { mode: 0o600 });
    await rename(unfinished, this.#path);
    this.#isChanged = false;
  }
}

function decode(bytes: Uint8Array): Map<string, Uint8Array> {
  const values = new Map<string, Uint8Array>();
  const found = bytes.subarray(0, HEAD_SIZE);
  const isSound =
    Buffer.compare(found.subarray(0, MAGIC.length), MAGIC) === 0 &&
    Buffer.compare(found.subarray(MAGIC.length), hashOf(bytes)) === 0;
  if (!isSound) return values;
  for (let at = HEAD_SIZE; at < bytes.length; at += 2 * ID_SIZE) {
    const middle = at + ID_SIZE;
    const value = bytes.slice(middle, middle + ID_SIZE);
    values.set(bytes.subarray(at, middle).toHex(), value);
  }
  return values;
}

function hashOf(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes.subarray(HEAD_SIZE)).digest();
}

/**
 * Lets a copy use what was proved before, and keeps what it proves.
 *
 * @param cache Where what comes from far away is kept.
 * @param copy The copy; without proofs where nothing may be kept.
 * @returns What the copy returns.
 */
export async function withProofs<T>(
  session: Session,
  cache: FarCache,
  copy: (proofs?: ProofCache) => Promise<T>,
): Promise<T> {
  const root = cache.isOff ? undefined : await cacheRoot(session, cache);
  if (root === undefined) return await copy();
  const proofs = await ProofFile.read(join(root, "proofs"));
  try {
    return await copy(proofs);
  } finally {
    await proofs.write().catch((error) =>
      session.detail(`Cannot keep proofs in ${root}: ${error.message}`)
    );
  }
}
