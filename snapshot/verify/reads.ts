import {
  NotFoundError,
  type ReadStore,
  StoreError,
  type StoreOptions,
} from "@snap/store";

type Fs = Pick<
  typeof import("node:fs"),
  "openSync" | "readSync" | "closeSync" | "constants"
>;

/** Files that are open at once. */
const FILES_MAX = 32;

/** Reads ranges of files of a store: without waiting where they lie on a disk. */
export class VerifyReads implements Disposable {
  readonly #store: ReadStore;
  readonly #fs: Fs | undefined;
  readonly #options: StoreOptions;
  /** Open files, the one opened last at the end. */
  readonly #files = new Map<string, number>();
  #buffer = new Uint8Array(0);

  private constructor(
    store: ReadStore,
    fs: Fs | undefined,
    options: StoreOptions,
  ) {
    this.#store = store;
    this.#fs = fs;
    this.#options = options;
  }

  /** Chooses how the store is read. */
  static async open(
    store: ReadStore,
    options: StoreOptions,
  ): Promise<VerifyReads> {
    const fs = store.localPath && await import("node:fs");
    return new VerifyReads(store, fs, options);
  }

  /** Whether {@linkcode VerifyReads.readNow} works. */
  get isLocal(): boolean {
    return this.#fs !== undefined;
  }

  /** Reads a range: bytes good until the next call, or the promise of bytes. */
  read(
    name: string,
    offset: number,
    length: number,
  ): Uint8Array | Promise<Uint8Array> {
    if (this.#fs !== undefined) return this.readNow(name, offset, length);
    return this.#store.read(name, { ...this.#options, offset, length });
  }

  /** Reads a range of a local file; the bytes are good until the next call. */
  readNow(name: string, offset: number, length: number): Uint8Array {
    const fs = this.#fs!;
    const file = this.#files.get(name) ?? this.#open(fs, name);
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    let end = 0;
    while (end < length) {
      const count = fs.readSync(
        file,
        this.#buffer,
        end,
        length - end,
        offset + end,
      );
      if (count === 0) throw shortError(name, offset + length, offset + end);
      end += count;
    }
    return this.#buffer.subarray(0, length);
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) this.#fs!.closeSync(file);
    this.#files.clear();
  }

  #open(fs: Fs, name: string): number {
    if (this.#files.size >= FILES_MAX) {
      const [[oldest, file]] = this.#files;
      this.#files.delete(oldest);
      fs.closeSync(file);
    }
    try {
      const file = fs.openSync(
        this.#store.localPath!(name),
        fs.constants.O_RDONLY | fs.constants.O_NONBLOCK,
      );
      this.#files.set(name, file);
      return file;
    } catch (cause) {
      const code = (cause as { readonly code?: string }).code ?? "UNKNOWN";
      if (code === "ENOENT") throw new NotFoundError(name, { cause });
      const fields = { code, action: "read", storeName: name, cause } as const;
      throw new StoreError(`Cannot open ${name}: ${code}`, fields);
    }
  }
}

function shortError(name: string, size: number, found: number): StoreError {
  return new StoreError(
    `Cannot read ${name} as it needs ${size} bytes: found ${found}`,
    { code: "SHORT", action: "read", storeName: name },
  );
}
