import type { ByteSink } from "@snap/formats/tar";

/** An archive that is written: it gets its name at the end, or is stdout. */
export interface ArchiveTarget extends ByteSink, AsyncDisposable {
  /** Gives the archive its name. What is disposed of without leaves nothing. */
  finish(): Promise<void>;
}

/** An archive that is read. */
export interface ArchiveSource {
  /** Its path or address, or what stands for stdin. */
  readonly path: string;
  /** Its bytes. */
  readonly pieces: AsyncIterable<Uint8Array>;
}
