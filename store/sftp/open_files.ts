import { type Attributes, OPEN, type SftpSession } from "./sftp_session.ts";

/** Most files that are kept open. Servers have limits from 100 on. */
const OPEN_MAX = 48;

/** A file or a folder that is open to read. */
export interface OpenFile {
  readonly handle: Uint8Array;
  /** Asks what it is; once asked, it is known. */
  stat(): Promise<Attributes>;
}

interface Kept {
  readonly opening: Promise<OpenFile>;
  users: number;
}

/**
 * Files and folders that are kept open on one server, the last used ones: what
 * is read of a pack again, and folders that are made durable again and again,
 * cost one request each.
 */
export class OpenFiles {
  readonly session: SftpSession;
  /** Those used last stand last. */
  readonly #kept = new Map<string, Kept>();

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
    const kept = this.#kept.get(path) ??
      { opening: this.#open(path), users: 0 };
    this.#kept.delete(path);
    this.#kept.set(path, kept);
    kept.users++;
    try {
      return await run(await kept.opening);
    } catch (error) {
      this.forget(path, kept);
      throw error;
    } finally {
      kept.users--;
      this.#closeIfUnused(path, kept);
      this.#trim();
    }
  }

  /** Uses what stands at a path once. */
  async useOnce<T>(
    path: string,
    run: (file: OpenFile) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const file = openFile(
      this.session,
      await this.session.open(path, OPEN.read, signal),
    );
    try {
      return await run(file);
    } finally {
      this.session.drop(file.handle);
    }
  }

  /** Keeps nothing open any more that stands at a path. */
  forget(path: string, kept: Kept | undefined = this.#kept.get(path)): void {
    if (kept === undefined) return;
    if (this.#kept.get(path) === kept) this.#kept.delete(path);
    this.#closeIfUnused(path, kept);
  }

  async #open(path: string): Promise<OpenFile> {
    return openFile(this.session, await this.session.open(path, OPEN.read));
  }

  #trim(): void {
    for (const [path, kept] of this.#kept) {
      if (this.#kept.size <= OPEN_MAX) return;
      if (kept.users === 0) this.forget(path, kept);
    }
  }

  #closeIfUnused(path: string, kept: Kept): void {
    if (kept.users > 0 || this.#kept.get(path) === kept) return;
    kept.opening.then(({ handle }) => this.session.drop(handle), () => {});
  }
}

function openFile(session: SftpSession, handle: Uint8Array): OpenFile {
  let asked: Promise<Attributes> | undefined;
  return { handle, stat: () => asked ??= session.fstat(handle) };
}
