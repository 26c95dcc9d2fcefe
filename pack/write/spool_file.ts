import { closeSync, openSync, writeSync } from "node:fs";
import { removeQuietly } from "@snap/store/owner";
import { spooling } from "../ranges/store_file_error.ts";
import type { PackSink } from "./pack_writer.ts";

/** A new file on its way into a store, or beside it, written from its start to its end. */
export class SpoolFile implements PackSink {
  /** Where it lies. */
  readonly path: string;
  #descriptor: number;

  /**
   * Creates the file.
   *
   * @param path Where it lies: nothing else may lie there.
   * @throws {StoreError} If it cannot be created.
   */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = spooling(path, () => openSync(path, "wx", 0o600));
  }

  /**
   * Writes the next bytes.
   *
   * @param bytes The bytes.
   * @throws {StoreError} If the disk is full, or fails.
   */
  write(bytes: Uint8Array): void {
    spooling(this.path, () => {
      let offset = 0;
      while (offset < bytes.length) {
        offset += writeSync(this.#descriptor, bytes, offset);
      }
    });
  }

  /** Closes the file, which stays. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    if (descriptor >= 0) spooling(this.path, () => closeSync(descriptor));
  }

  /** Closes the file and removes it. */
  discard(): void {
    removeQuietly(this.path, () => this.close());
  }
}
