import { folderOf } from "../file/store_folders.ts";
import { Turns } from "../turns.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import type { Folders } from "./folders.ts";
import { isFile, type SftpSession } from "./sftp_session.ts";
import { hasStatus, SftpStatusError, STATUS } from "./status_error.ts";
import { openTemporary, temporaryName } from "./temporary.ts";

/**
 * Means to name a file only if the name is free: a second name, as `link` does;
 * another name, as `rename` does on servers where it never replaces; or nothing.
 */
type Means = "link" | "rename" | "none";

/** Whether a file was given its name, and what makes that durable, if it is on its way. */
interface Given {
  readonly isCreated: boolean;
  readonly settling?: Promise<void>;
}

const TAKEN: Given = { isCreated: false };
const NOTHING = new Uint8Array(0);

/** Gives finished files their names, and never takes one from another. */
export class Publisher {
  readonly #session: SftpSession;
  readonly #folders: Folders;
  readonly #isSingleWriter: boolean;
  readonly #turns = new Turns();
  #means: Promise<Means> | undefined;
  #hasMadeLink = false;

  constructor(
    session: SftpSession,
    folders: Folders,
    isSingleWriter: boolean,
  ) {
    this.#session = session;
    this.#folders = folders;
    this.#isSingleWriter = isSingleWriter;
    if (session.hasLinks) this.#means = Promise.resolve("link");
  }

  /**
   * Gives a file a name, and makes that durable, also where it is taken.
   *
   * @param temporary The path of the file.
   * @returns False if the name is taken.
   */
  async publish(
    temporary: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const folder = folderOf(name);
    let given: Given;
    try {
      given = await this.#give(temporary, name, signal);
    } catch (error) {
      if (!hasStatus(error, STATUS.noSuchFile)) throw error;
      await this.#folders.make(folder, signal);
      given = await this.#give(temporary, name, signal);
    }
    const { isCreated, settling } = given;
    try {
      await (settling ?? this.#folders.settle(folder, signal));
    } catch (error) {
      if (isCreated) {
        await this.#session.remove(this.#folders.path(name)).catch(() => {});
      }
      throw error;
    }
    return isCreated;
  }

  /** Whether a name is taken. */
  async isTaken(name: string, signal?: AbortSignal): Promise<boolean> {
    try {
      const path = this.#folders.path(name);
      if (isFile(await this.#session.stat(path, signal))) return true;
    } catch (error) {
      if (hasStatus(error, STATUS.noSuchFile)) return false;
      throw error;
    }
    throw new RemoteError(
      `Cannot create ${name}: what is no file has its name (EISDIR)`,
      { code: "EISDIR", action: "create", storeName: name },
    );
  }

  /**
   * Finds out by trial what this server has.
   *
   * @throws {RemoteError} If it has nothing, and others may write.
   */
  async probe(signal?: AbortSignal): Promise<void> {
    this.#means = this.#findMeans(signal);
    this.#means.catch(() => this.#means = undefined);
    this.#check("a name", await this.#means);
  }

  /**
   * Refuses what could not be given a name, as far as that is known.
   *
   * @throws {RemoteError} If a server without the means has others that write.
   */
  async check(name: string): Promise<void> {
    this.#check(name, await this.#means);
  }

  #check(name: string, means: Means | undefined): void {
    if (means !== "none" || this.#isSingleWriter) return;
    throw new RemoteError(
      `Cannot create ${name}: the server cannot create only what is absent, so that it needs a single writer (NO_CONDITION)`,
      {
        code: "NO_CONDITION",
        action: "create",
        storeName: name,
        hint: "?single-writer behind the address says that nobody else writes",
      },
    );
  }

  async #give(
    temporary: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<Given> {
    if (this.#means === undefined) await this.probe(signal);
    const means = await this.#means!;
    this.#check(name, means);
    const rename = () => this.#rename(temporary, name, signal);
    if (means === "none") {
      return await this.#turns.take(name, async () => {
        return await this.isTaken(name, signal) ? TAKEN : await rename();
      });
    }
    if (means === "rename") return await rename();
    const target = this.#folders.path(name);
    const linking = this.#session.link(temporary, target, signal);
    // Sent behind it, and carried out behind it: no server that makes files
    // durable does things in disorder.
    const settling = this.#folders.settle(folderOf(name), signal);
    settling.catch(() => {}); // Heard by who publishes, if there is a link.
    try {
      await linking;
      // Old servers answer that they made a link, and do nothing.
      this.#hasMadeLink ||= await this.isTaken(name, signal);
      if (this.#hasMadeLink) return { isCreated: true, settling };
      this.#means = this.#findMeans(signal);
    } catch (error) {
      const isAbsent = hasStatus(error, STATUS.noSuchFile);
      if (isAbsent || !(error instanceof SftpStatusError)) throw error;
      // The status of a name that is taken is no other than that of a fault.
      if (await this.isTaken(name, signal)) return TAKEN;
      // Some servers promise links and have none, as some disks.
      if (!await this.#isWithoutLinks(signal)) throw error;
    }
    return await this.#give(temporary, name, signal);
  }

  async #isWithoutLinks(signal?: AbortSignal): Promise<boolean> {
    this.#means = this.#findMeans(signal);
    try {
      return await this.#means !== "link";
    } catch {
      this.#means = Promise.resolve("link");
      return false;
    }
  }

  async #rename(
    temporary: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<Given> {
    try {
      const target = this.#folders.path(name);
      await this.#session.rename(temporary, target, signal);
      return { isCreated: true };
    } catch (error) {
      const isAbsent = hasStatus(error, STATUS.noSuchFile);
      if (isAbsent || !(error instanceof SftpStatusError)) throw error;
      if (await this.isTaken(name, signal)) return TAKEN;
      throw error;
    }
  }

  /** Tries it with three names of its own, and leaves nothing behind. */
  async #findMeans(signal?: AbortSignal): Promise<Means> {
    const session = this.#session;
    const paths = Array.from(
      { length: 3 },
      () => this.#folders.path(temporaryName(NOTHING)),
    );
    const [one, other, target] = paths;
    const succeeds = async (call: Promise<unknown>): Promise<number> => {
      try {
        await call;
        return STATUS.ok;
      } catch (error) {
        if (error instanceof SftpStatusError) return error.status;
        throw error;
      }
    };
    try {
      await this.#put(one, 1, signal);
      await this.#put(other, 2, signal);
      const status = session.hasLinks
        ? await succeeds(session.link(one, target, signal))
        : STATUS.unsupported;
      // A disk without links: OpenSSH looks, then renames, and is not alone meanwhile.
      if (status === STATUS.permissionDenied) return "none";
      const isLink = status === STATUS.ok &&
        await succeeds(session.stat(target, signal)) === STATUS.ok;
      if (!isLink) await session.rename(one, target, signal);
      const again = isLink
        ? session.link(other, target, signal)
        : session.rename(other, target, signal);
      const isRefused = await succeeds(again) !== STATUS.ok;
      const { size } = await session.stat(target, signal);
      if (!isRefused || size !== 1) return "none";
      return isLink ? "link" : "rename";
    } finally {
      for (const path of paths) session.remove(path).catch(() => {});
    }
  }

  async #put(path: string, size: number, signal?: AbortSignal): Promise<void> {
    const session = this.#session;
    const handle = await openTemporary(session, this.#folders, path, signal);
    try {
      await session.write(handle, 0, new Uint8Array(size), signal);
    } finally {
      await session.close(handle);
    }
  }
}
