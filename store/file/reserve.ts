/** Space that a file store keeps for a full disk. */
import { linkNew, removeQuietly, writeNew } from "./durable_file.ts";
import type { FileCalls } from "./file_calls.ts";
import { randomHex } from "../hex.ts";
import type { StoreFolders } from "./store_folders.ts";

/** The file in the folder of a store. */
export const RESERVE_NAME = "tmp/reserve";
/** Its size in bytes. */
export const RESERVE_SIZE: number = 256 * 1024;

const RANDOM_SIZE_MAX = 65_536;

/** Takes space that a full disk can be given back. Random, as some disks compress. */
export async function makeReserve(
  calls: FileCalls,
  folders: StoreFolders,
): Promise<void> {
  const bytes = new Uint8Array(RESERVE_SIZE);
  for (let at = 0; at < RESERVE_SIZE; at += RANDOM_SIZE_MAX) {
    crypto.getRandomValues(bytes.subarray(at, at + RANDOM_SIZE_MAX));
  }
  const temporary = folders.path(`tmp/${"0".repeat(32)}-${randomHex()}`);
  try {
    await writeNew(calls, temporary, bytes);
    await linkNew(calls, temporary, folders.path(RESERVE_NAME));
  } finally {
    await removeQuietly(calls, temporary);
  }
}
