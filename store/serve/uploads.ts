/** Uploads in parts: files that grow in the spool until they are joined to a name. */
import type { FileHandle } from "node:fs/promises";
import { adoptFile, spoolPathOf } from "../adopt_file.ts";
import { writeAll } from "../file/durable_file.ts";
import type { WriteStore } from "../store.ts";

/** After how long an upload that nobody went on with may be removed. */
const STALE_MS = 7 * 24 * 60 * 60 * 1000;
/** How often such uploads are looked for. */
const SWEEP_MS = 24 * 60 * 60 * 1000;
const SUFFIX = ".upload";
const READ_SIZE = 1024 * 1024;

/** The uploads to one store. An upload is named by the SHA-256 of the whole file. */
export class Uploads {
  readonly #store: WriteStore;
  /** Work on each upload: one after another. */
  readonly #queues = new Map<string, Promise<unknown>>();
  #folder: Promise<string> | undefined;
  /** A folder that was made here, and goes with this object. */
  #own: string | undefined;
  #sweptMs = 0;

  constructor(store: WriteStore) {
    this.#store = store;
  }

  /**
   * Adds a part at the end of what there is, and makes it durable.
   *
   * @returns How many bytes there are now. If the part does not fit at their
   * end, they stay as they are.
   */
  async add(
    id: string,
    offset: number,
    bytes: Uint8Array,
  ): Promise<{ offset: number; added: boolean }> {
    return await this.#inTurn(id, async () => {
      const file = await openUpload(await this.#pathOf(id));
      try {
        const { size } = await file.stat();
        if (size !== offset) return { offset: size, added: false };
        try {
          await writeAll(file, bytes, offset);
          await file.datasync();
        } catch (error) {
          await file.truncate(offset).catch(() => {});
          throw error;
        }
        return { offset: size + bytes.length, added: true };
      } finally {
        await file.close();
      }
    });
  }

  /**
   * Makes an upload a name, if it is whole.
   *
   * @returns Whether this created the name, or how many bytes there are where
   * that is not the file.
   */
  async join(
    id: string,
    { name, size, signal }: { name: string; size: number; signal: AbortSignal },
  ): Promise<{ created: boolean } | { offset: number }> {
    return await this.#inTurn(id, async () => {
      const path = await this.#pathOf(id);
      const found = await digestOf(path, signal);
      // A join whose answer was lost has taken the file away.
      if (found.size === 0 && await this.#store.size(name) === size) {
        await remove(path);
        await this.#store.sync([name.slice(0, name.lastIndexOf("/") + 1)]);
        return { created: false };
      }
      if (found.size < size) return { offset: found.size };
      if (found.digest !== id) {
        await remove(path);
        return { offset: 0 };
      }
      return {
        created: await adoptFile(this.#store, { name, path }, { signal }),
      };
    });
  }

  /**
   * Reads an upload, if it is whole, and removes it once it was used.
   *
   * @returns What came of its use, or how many bytes there are where that is not all.
   */
  async use<T>(
    id: string,
    { size, signal }: { size: number; signal: AbortSignal },
    run: (bytes: Uint8Array) => Promise<T>,
  ): Promise<{ outcome: T } | { offset: number }> {
    return await this.#inTurn(id, async () => {
      const path = await this.#pathOf(id);
      const found = await digestOf(path, signal);
      if (found.size < size) {
        if (found.size === 0) await remove(path);
        return { offset: found.size };
      }
      if (found.digest !== id || found.size > size) {
        await remove(path);
        return { offset: 0 };
      }
      const { readFile } = await import("node:fs/promises");
      const bytes = await readFile(path);
      const outcome = await run(
        new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
      );
      await remove(path);
      return { outcome };
    });
  }

  /** Removes what would be of no use to another process. */
  async close(): Promise<void> {
    if (this.#own === undefined) return;
    const { rm } = await import("node:fs/promises");
    await rm(this.#own, { recursive: true, force: true });
  }

  async #pathOf(id: string): Promise<string> {
    this.#folder ??= this.#findFolder();
    this.#folder.catch(() => this.#folder = undefined);
    const folder = await this.#folder;
    if (Date.now() - this.#sweptMs > SWEEP_MS) {
      this.#sweptMs = Date.now();
      await removeStale(folder);
    }
    return `${folder}/${id.slice(0, 32)}-${id.slice(32)}${SUFFIX}`;
  }

  /** A folder beside what the store adopts; one of this process where that is everybody's. */
  async #findFolder(): Promise<string> {
    const [{ mkdtemp }, { dirname, join }, { tmpdir }] = await Promise.all([
      import("node:fs/promises"),
      import("node:path"),
      import("node:os"),
    ]);
    const path = await spoolPathOf(this.#store, "0".repeat(32));
    if (this.#store.localPath === undefined) {
      return this.#own = await mkdtemp(join(tmpdir(), "snap-uploads-"));
    }
    return dirname(path);
  }

  async #inTurn<T>(id: string, run: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(id);
    const outcome = (before ?? Promise.resolve()).then(run, run);
    const settled = outcome.catch(() => {});
    this.#queues.set(id, settled);
    try {
      return await outcome;
    } finally {
      if (this.#queues.get(id) === settled) this.#queues.delete(id);
    }
  }
}

/** Opens an upload, which nobody else can have planted as a link. */
async function openUpload(path: string): Promise<FileHandle> {
  const [{ constants }, { open }] = await Promise.all([
    import("node:fs"),
    import("node:fs/promises"),
  ]);
  const { O_CREAT, O_NOFOLLOW = 0, O_RDWR } = constants;
  return await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
}

async function remove(path: string): Promise<void> {
  const { rm } = await import("node:fs/promises");
  await rm(path, { force: true });
}

/** Size and SHA-256 of an upload; size 0 if there is none. */
async function digestOf(
  path: string,
  signal: AbortSignal,
): Promise<{ size: number; digest: string }> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  const file = await openUpload(path);
  let size = 0;
  try {
    const buffer = new Uint8Array(READ_SIZE);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, READ_SIZE, size);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } finally {
    await file.close();
  }
  return { size, digest: hash.digest("hex") };
}

/** Removes uploads that nobody went on with for a week. */
async function removeStale(folder: string): Promise<void> {
  const { readdir, stat } = await import("node:fs/promises");
  for (const name of await readdir(folder)) {
    if (!name.endsWith(SUFFIX)) continue;
    const path = `${folder}/${name}`;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > STALE_MS) await remove(path);
  }
}
