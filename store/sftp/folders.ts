import { FIXED_FOLDERS, folderOf } from "../file/store_folders.ts";
import type { OpenFiles } from "./open_files.ts";
import { isFolder, type SftpSession } from "./sftp_session.ts";
import { hasStatus, SftpStatusError, STATUS } from "./status_error.ts";

/** The folders of a store on a server: making them, and making durable what is in them. */
export class Folders {
  readonly #session: SftpSession;
  readonly #files: OpenFiles;
  readonly #root: string;
  /** Folders of which the entries above them are known to be durable, up to the store. */
  readonly #durable = new Set<string>([""]);

  constructor(files: OpenFiles, root: string) {
    this.#files = files;
    this.#session = files.session;
    this.#root = root;
  }

  /** The path of a name, a folder, or of the store, which is "". */
  path(name: string): string {
    if (name === "") return this.#root;
    return this.#root === "/" ? `/${name}` : `${this.#root}/${name}`;
  }

  /** Makes a folder and those above it, where they are absent. */
  async make(folder: string, signal?: AbortSignal): Promise<void> {
    this.#durable.delete(folder);
    await this.#makePath(this.path(folder), signal);
  }

  async #makePath(path: string, signal?: AbortSignal): Promise<void> {
    const parent = parentOf(path);
    try {
      await this.#session.makeFolder(path, signal);
    } catch (error) {
      if (hasStatus(error, STATUS.noSuchFile) && parent !== undefined) {
        await this.#makePath(parent, signal);
        await this.#makePath(path, signal);
        return;
      }
      // That it is there is no more than a failure, whatever else is wrong.
      if (await this.#isThere(path, signal)) return;
      throw error;
    }
    if (parent !== undefined) await this.#sync(parent, signal);
  }

  /** Removes a folder that was made for some names, once it has none. */
  async removeEmpty(folder: string, signal?: AbortSignal): Promise<void> {
    if (folderOf(folder) === "" || FIXED_FOLDERS.includes(folder)) return;
    this.#durable.delete(folder);
    this.#files.forget(this.path(folder));
    try {
      await this.#session.removeFolder(this.path(folder), signal);
    } catch (error) {
      // It has others, or another process was faster.
      if (!(error instanceof SftpStatusError)) throw error;
    }
  }

  async #isThere(path: string, signal?: AbortSignal): Promise<boolean> {
    try {
      return isFolder(await this.#session.stat(path, signal));
    } catch {
      return false;
    }
  }

  /** Opens what {@link Folders.settle} of a folder will need, and waits for nothing. */
  open(folder: string): void {
    if (!this.#session.hasSync) return;
    for (const at of this.#unsettled(folder)) {
      this.#files.use(this.path(at), () => Promise.resolve()).catch(() => {});
    }
  }

  /** A folder, and those of which the entries below it may not be durable. */
  #unsettled(folder: string): Set<string> {
    const folders = new Set([folder]);
    for (let at = folder; !this.#durable.has(at); at = folderOf(at)) {
      folders.add(folderOf(at));
    }
    return folders;
  }

  /**
   * Makes the entries of a folder durable, and the entry of each folder above it
   * that somebody may have made a moment ago.
   */
  async settle(folder: string, signal?: AbortSignal): Promise<void> {
    const all = [...this.#unsettled(folder)];
    await Promise.all(all.map((at) => this.#sync(this.path(at), signal)));
    for (const at of [folder, ...all]) this.#durable.add(at);
  }

  /** Makes the entries of a folder durable. */
  async sync(folder: string, signal?: AbortSignal): Promise<void> {
    await this.#sync(this.path(folder), signal);
  }

  async #sync(path: string, signal?: AbortSignal): Promise<void> {
    if (!this.#session.hasSync) return;
    try {
      await this.#syncOnce(path, signal);
    } catch (error) {
      if (!hasStatus(error, STATUS.noSuchFile)) throw error;
      // It was opened for somebody else, before it was made.
      await this.#syncOnce(path, signal);
    }
  }

  async #syncOnce(path: string, signal?: AbortSignal): Promise<void> {
    let isOpen = false;
    try {
      await this.#files.use(path, async ({ handle }) => {
        isOpen = true;
        await this.#session.sync(handle, signal);
      }, signal);
    } catch (error) {
      // Some servers open no folders, and some file systems cannot sync them.
      const isOfFolders = isOpen
        ? hasStatus(error, STATUS.badMessage, STATUS.unsupported)
        : hasStatus(error, STATUS.failure, STATUS.permissionDenied);
      if (!isOfFolders) throw error;
    }
  }
}

/** The folder that holds a path; undefined for those that hold all others. */
function parentOf(path: string): string | undefined {
  if (path === "/" || path === ".") return undefined;
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
