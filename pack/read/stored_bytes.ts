import {
  NotFoundError,
  type ReadStore,
  StoreError,
  type StoreOptions,
} from "@snap/store";
import type { Location } from "../location.ts";

const FILES_MAX = 32;

/** Reads the stored bytes of frames. */
export interface StoredBytes {
  /** Reads a frame; bytes good until the next call where they are not a promise. */
  read(
    location: Location,
    options: StoreOptions,
  ): Uint8Array | Promise<Uint8Array>;
  /** Closes what is open. */
  close(): void;
}

/** From any store. Frames that are asked for twice at once are read once. */
export class RemoteBytes implements StoredBytes {
  readonly #store: ReadStore;
  readonly #reads = new Map<
    number,
    {
      readonly signal: AbortSignal | undefined;
      readonly bytes: Promise<Uint8Array>;
    }
  >();

  constructor(store: ReadStore) {
    this.#store = store;
  }

  read(location: Location, options: StoreOptions): Promise<Uint8Array> {
    const { frameKey, packName, frameOffset, storedSize } = location;
    const { signal } = options;
    const known = this.#reads.get(frameKey);
    // A read that another signal ends is not ours.
    if (known !== undefined && known.signal === signal) return known.bytes;
    const range = { ...options, offset: frameOffset, length: storedSize };
    const bytes = this.#store.read(packName, range).finally(() => {
      if (this.#reads.get(frameKey)?.bytes === bytes) {
        this.#reads.delete(frameKey);
      }
    });
    this.#reads.set(frameKey, { signal, bytes });
    return bytes;
  }

  close(): void {}
}

type Fs = Pick<
  typeof import("node:fs"),
  "openSync" | "readSync" | "closeSync" | "constants"
>;

/** From files that this program may open, synchronously. */
export class LocalBytes implements StoredBytes {
  readonly #fs: Fs;
  readonly #pathOf: (name: string) => string;
  /** Open files, the one used last at the end. */
  readonly #files = new Map<string, number>();
  #buffer = new Uint8Array(256 << 10);
  #isClosed = false;

  constructor(fs: Fs, pathOf: (name: string) => string) {
    this.#fs = fs;
    this.#pathOf = pathOf;
  }

  read({ packName, frameOffset, storedSize }: Location): Uint8Array {
    return this.range(packName, frameOffset, storedSize);
  }

  /** Reads a range of a file; bytes good until the next call. */
  range(name: string, offset: number, size: number): Uint8Array {
    try {
      return this.#range(name, offset, size);
    } finally {
      // Who reads after the end leaves nothing open.
      if (this.#isClosed) this.close();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const file of this.#files.values()) this.#fs.closeSync(file);
    this.#files.clear();
  }

  #range(name: string, offset: number, size: number): Uint8Array {
    const file = this.#open(name);
    if (this.#buffer.length < size) this.#buffer = new Uint8Array(size * 2);
    let end = 0;
    while (end < size) {
      const count = this.#fs.readSync(
        file,
        this.#buffer,
        end,
        size - end,
        offset + end,
      );
      if (count === 0) throw shortError(name, offset, { size, found: end });
      end += count;
    }
    return this.#buffer.subarray(0, size);
  }

  #open(name: string): number {
    const known = this.#files.get(name);
    const file = known ?? this.#openNew(name);
    if (known !== undefined) this.#files.delete(name);
    this.#files.set(name, file);
    return file;
  }

  #openNew(name: string): number {
    if (this.#files.size >= FILES_MAX) {
      const [oldest, file] = [...this.#files][0];
      this.#files.delete(oldest);
      this.#fs.closeSync(file);
    }
    try {
      // Nobody waits for a fifo that stands in the place of a pack.
      const { O_RDONLY, O_NONBLOCK } = this.#fs.constants;
      return this.#fs.openSync(this.#pathOf(name), O_RDONLY | O_NONBLOCK);
    } catch (cause) {
      const code = (cause as { readonly code?: string }).code ?? "UNKNOWN";
      if (code === "ENOENT") throw new NotFoundError(name, { cause });
      const message = `Cannot read ${name}: the disk refuses (${code})`;
      const fields = { code, action: "read", storeName: name, cause } as const;
      throw new StoreError(message, fields);
    }
  }
}

/** Chooses how the frames of a store are read. */
export async function storedBytes(store: ReadStore): Promise<StoredBytes> {
  return await localBytes(store) ?? new RemoteBytes(store);
}

/** Reads the files of a store, where it has any. */
export async function localBytes(
  store: ReadStore,
): Promise<LocalBytes | undefined> {
  if (store.localPath === undefined) return undefined;
  // Costs 10 ms at the start of a program: only those pay who need it.
  const fs = await import("node:fs");
  return new LocalBytes(fs, (name) => store.localPath!(name));
}

function shortError(
  name: string,
  offset: number,
  { size, found }: { readonly size: number; readonly found: number },
): StoreError {
  return new StoreError(
    `Cannot read ${name} as ${size} bytes are wanted at ${offset}: found ${found}`,
    { code: "SHORT", action: "read", storeName: name },
  );
}
