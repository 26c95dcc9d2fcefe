import { type Attributes, OPEN, type SftpSession } from "./sftp_session.ts";

/** Most files that are open to read at once. Servers have limits from 100 on. */
const OPEN_MAX = 48;

/** A file or a folder that is open to read. */
export interface OpenFile {
  readonly handle: Uint8Array;
  /** Asks what it is; once asked, it is known. */
  stat(): Promise<Attributes>;
}

interface Kept {
  readonly opening: Promise<OpenFile>;
  /** The file, once it is open. */
  file?: OpenFile;
  users: number;
}

/**
 * Files and folders that are open on one server. The last used ones are kept
 * open: what is read of a pack again, and folders that are made durable again
 * and again, cost one request each.
 */
export class OpenFiles {
  readonly session: SftpSession;
  /** Those used last stand last. */
  readonly #kept = new Map<string, Kept>();
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  constructor(session: SftpSession) {
    this.session = session;
  }

  /** Uses what stands at a path, and keeps it open for the next who does. */
  async use<T>(
    path: string,
    run: (file: OpenFile) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const kept = this.#kept.get(path) ?? this.#begin(path);
    this.#kept.delete(path);
    this.#kept.set(path, kept);
    kept.users++;
    try {
      return await run(await kept.opening);
    } catch (error) {
      this.#kept.delete(path);
      throw error;
    } finally {
      kept.users--;
      if (this.#waiting.length > 0) this.#kept.delete(path);
      this.#closeUnused(path, kept);
    }
  }

  /** Uses what stands at a path once. */
  async useOnce<T>(
    path: string,
    run: (file: OpenFile) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const file = await this.#open(path, signal);
    try {
      return await run(file);
    } finally {
      this.#close(file);
    }
  }

  /** Keeps nothing open any more that stands at a path. */
  forget(path: string): void {
    const kept = this.#kept.get(path);
    this.#kept.delete(path);
    if (kept !== undefined) this.#closeUnused(path, kept);
  }

  #begin(path: string): Kept {
    const kept: Kept = { opening: this.#open(path), users: 0 };
    kept.opening.then((file) => kept.file = file, () => {});
    return kept;
  }

  async #open(path: string, signal?: AbortSignal): Promise<OpenFile> {
    await this.#enter();
    try {
      const { session } = this;
      const handle = await session.open(path, OPEN.read, signal);
      let asked: Promise<Attributes> | undefined;
      return { handle, stat: () => asked ??= session.fstat(handle) };
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Waits until one more may be open. */
  async #enter(): Promise<void> {
    if (this.#count === OPEN_MAX) this.#closeOldest();
    if (this.#count < OPEN_MAX) this.#count++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands on the place of one that was open. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next();
    else this.#count--;
  }

  #closeOldest(): void {
    for (const [path, { users }] of this.#kept) {
      if (users === 0) return this.forget(path);
    }
  }

  #closeUnused(path: string, kept: Kept): void {
    const isWanted = kept.users > 0 || this.#kept.get(path) === kept;
    if (isWanted || kept.file === undefined) return;
    this.#close(kept.file);
    delete kept.file;
  }

  #close({ handle }: OpenFile): void {
    this.session.drop(handle);
    this.#leave();
  }
}
