import type { Hasher, Id } from "@snap/hash";

const encoder = new TextEncoder();

/** Checksum of a directory of snapdir, and the sum of the sizes in it. */
export interface DirectorySum {
  /** BLAKE3 of the checksums of its entries: 64 hex digits. */
  readonly checksum: Id;
  /** Bytes of all below it. */
  readonly size: number;
}

/**
 * Adds up one directory: its checksum is that of the checksums in it, as text, in
 * order, each once. Names and permissions do not count.
 */
export class SumDraft {
  readonly #checksums = new Set<string>();
  #size = 0;

  /** Adds an entry. */
  add({ checksum, size }: DirectorySum): void {
    this.#checksums.add(checksum);
    this.#size += size;
  }

  /** Gives the sum of what was added. */
  finish(hasher: Hasher): DirectorySum {
    const text = [...this.#checksums].sort().join("");
    return { checksum: hasher.idOf(encoder.encode(text)), size: this.#size };
  }
}
