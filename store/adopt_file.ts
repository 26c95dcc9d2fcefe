import { nodeModule } from "./node_module.ts";
import { StoreError } from "./errors.ts";
import { checkSaveId, randomHex } from "./hex.ts";
import type { StoreOptions, WriteStore } from "./store.ts";
import { checkStoreName } from "./store_name.ts";

/**
 * Hands a finished local file over to a store: to its `adopt`, or else to `create`,
 * for which the file is read into memory as a whole.
 *
 * @param store The store.
 * @param file The file, which is gone afterwards, also when this fails, and its name to be.
 * @param options A signal.
 * @returns True if this call created the name, false if it was there.
 * @throws {StoreError} If the file cannot be read, or the name could not be created.
 */
export function adoptFile(
  store: WriteStore,
  file: { readonly name: string; readonly path: string },
  options?: StoreOptions,
): Promise<boolean> {
  return store.adopt === undefined
    ? createFrom(store, file, options)
    : store.adopt(file.name, file.path, options);
}

/**
 * Does what `adopt` does by `create`.
 *
 * @param store What creates the name.
 * @param file The file, and its name to be.
 * @param options A signal.
 * @returns True if this call created the name.
 * @throws {StoreError} If the file cannot be read, or the name could not be created.
 */
export async function createFrom(
  store: Pick<WriteStore, "create">,
  { name, path }: { readonly name: string; readonly path: string },
  options?: StoreOptions,
): Promise<boolean> {
  checkStoreName(name);
  const { readFile, rm } = nodeModule("node:fs/promises");
  try {
    options?.signal?.throwIfAborted();
    const bytes = await readFile(path).catch((cause) => {
      throw unreadable(name, path, cause);
    });
    return await store.create(name, bytes, options);
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * Finds where a file for {@linkcode adoptFile} is to be made: where the store says, or
 * else in the temporary folder of the system.
 *
 * @param store The store.
 * @param saveId The save id, 32 hex digits, which becomes part of the path.
 * @returns A path that no other call gets. No file is there yet.
 */
export function spoolPathOf(
  store: WriteStore,
  saveId: string,
): string | Promise<string> {
  return store.spoolPath?.(saveId) ?? temporaryPath(saveId);
}

/**
 * Finds a path in the temporary folder of the system.
 *
 * @param saveId The save id, 32 hex digits.
 * @returns A path that no other call gets.
 * @throws {RangeError} If this is no save id.
 */
export function temporaryPath(saveId: string): string {
  checkSaveId(saveId);
  const { join } = nodeModule("node:path");
  return join(nodeModule("node:os").tmpdir(), `snap-${saveId}-${randomHex()}`);
}

function unreadable(name: string, path: string, cause: unknown): unknown {
  const code = (cause as { code?: unknown }).code;
  if (typeof code !== "string") return cause;
  return new StoreError(
    `Cannot store ${path} as ${name}: it cannot be read (${code})`,
    { code, action: "adopt", storeName: name, path, cause },
  );
}
