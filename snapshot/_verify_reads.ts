import { StoreError } from "@snap/store/errors";
import type { ReadStore, StoreOptions } from "@snap/store/store";

type Fs = Pick<
  typeof import("node:fs"),
  "openSync" | "readSync" | "closeSync"
>;

/** Reads ranges of files of a store, one file after the other. */
export class VerifyReads implements Disposable {
  readonly #store: ReadStore;
  readonly #fs: Fs | undefined;
  readonly #options: StoreOptions;
  #name = "";
  #descriptor = -1;
  #buffer = new Uint8Array(8 << 20);

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

  /** Reads a range: bytes good until the next call, or the promise of bytes. */
  read(
    name: string,
    offset: number,
    length: number,
  ): Uint8Array | Promise<Uint8Array> {
    const fs = this.#fs;
    if (fs === undefined) {
      return this.#store.read(name, { ...this.#options, offset, length });
    }
    if (this.#name !== name) {
      this.close();
      this.#descriptor = fs.openSync(this.#store.localPath!(name), "r");
      this.#name = name;
    }
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    let end = 0;
    while (end < length) {
      const count = fs.readSync(
        this.#descriptor,
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

  close(): void {
    if (this.#descriptor >= 0) this.#fs!.closeSync(this.#descriptor);
    this.#descriptor = -1;
    this.#name = "";
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function shortError(name: string, size: number, found: number): StoreError {
  return new StoreError(
    `Cannot read ${name} as it needs ${size} bytes: found ${found}`,
    { code: "SHORT", action: "read", storeName: name },
  );
}
