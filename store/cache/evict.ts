/**
 * Making room: files that were not used for the longest time go.
 *
 * @module
 */
import { readdir, stat, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";

/** Most bytes of a cache unless said otherwise, and the part of the disk that it has at most. */
const BUDGET_MAX = 10 * 2 ** 30;
const DISK_PART = 10;
/** A cache that is too large is made so much smaller than it may be. */
const ROOM = 0.9;
/** Time by which small files that every command asks for count as used later. */
const SMALL_MS = 7 * 24 * 3_600_000;
/** Size of a block of `stat`. */
const BLOCK_SIZE = 512;
/** Files that are looked at together. */
const LOOKS_AT_ONCE = 16;

interface CachedFile {
  readonly path: string;
  readonly diskSize: number;
  readonly usedMs: number;
}

/**
 * Removes files of caches until they fit.
 *
 * @param root The folder of all caches.
 * @param budget Most bytes of disk; a tenth of the disk, and at most 10 GiB, if left out.
 * @returns Bytes of disk that were freed.
 */
export async function evict(root: string, budget?: number): Promise<number> {
  const { blocks, bavail, bsize } = await statfs(root);
  const disk = Math.min(BUDGET_MAX, blocks * bsize / DISK_PART);
  const files = await filesBelow(root);
  let size = 0;
  for (const { diskSize } of files) size += diskSize;
  // Others need the disk, too: half of what they leave.
  const share = (size + bavail * bsize) / 2;
  const sizeMax = Math.min(budget ?? disk, share);
  if (size <= sizeMax) return 0;
  let freed = 0;
  files.sort((a, b) => a.usedMs - b.usedMs);
  for (const { path, diskSize } of files) {
    if (size - freed <= sizeMax * ROOM) break;
    // Another process may have been here.
    await unlink(path).catch(() => {});
    freed += diskSize;
  }
  return freed;
}

async function filesBelow(root: string): Promise<CachedFile[]> {
  const files: CachedFile[] = [];
  const names = await readdir(root, { recursive: true });
  const look = async (name: string): Promise<void> => {
    const path = join(root, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || !found.isFile()) return;
    const isPack = name.includes("packs");
    files.push({
      path,
      diskSize: found.blocks * BLOCK_SIZE,
      usedMs: found.mtimeMs + (isPack ? 0 : SMALL_MS),
    });
  };
  for (let at = 0; at < names.length; at += LOOKS_AT_ONCE) {
    await Promise.all(names.slice(at, at + LOOKS_AT_ONCE).map(look));
  }
  return files;
}
