import { nodeModule } from "../node_module.ts";
import { hexOf } from "@snap/hash";
import { cacheHome } from "../cache_home.ts";
import { randomHex } from "../hex.ts";
import { makeSpoolFolder, newSpoolPath, spoolFailure } from "../spool_path.ts";
import {
  isGone,
  type Owner,
  ownerText,
  parseOwner,
  thisOwner,
} from "../owner/process_owner.ts";

const { createHash } = nodeModule("node:crypto");
const { readdir, rename } = nodeModule("node:fs/promises");
const { join } = nodeModule("node:path");

const JOURNAL = /^upload-([0-9a-f]{32})-(.+)\.journal$/;

/** Journals that this process is at work on, whichever store they are of. */
const busy = new Set<string>();

/** The folder of one store in the user's cache: it outlives a restart, and is not in memory. */
export function spoolFolder(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const hash = createHash("sha256").update(address).digest();
  return join(cacheHome(env), "spool", hexOf(hash.subarray(0, 16)));
}

/** An upload in the spool folder: a file and its journal. */
export interface SpooledUpload {
  /** Path of the journal, whose name says who works on it. */
  readonly journalPath: string;
  readonly filePath: string;
  /** Whether the machine was started anew since: what was not synced may be gone. */
  readonly isOld: boolean;
}

/** A folder for files that wait for their upload, and journals of uploads. */
export class Spool {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async newPath(saveId: string): Promise<string> {
    return await newSpoolPath(saveId, { spoolFolder: this.#folder });
  }

  /** Paths for a new upload. Nothing is there yet. */
  async newUpload(): Promise<SpooledUpload> {
    await makeSpoolFolder(this.#folder);
    const id = randomHex();
    const upload = this.#upload(id, thisOwner(), false);
    busy.add(upload.journalPath);
    return upload;
  }

  /** Says that this process is done with an upload. */
  release(upload: SpooledUpload): void {
    busy.delete(upload.journalPath);
  }

  /** Takes over the uploads whose processes are gone, one after the other. */
  async *abandoned(): AsyncGenerator<SpooledUpload> {
    for (const name of await this.#names()) {
      const [, id, text] = JOURNAL.exec(name) ?? [];
      const owner = text === undefined ? undefined : parseOwner(text);
      if (owner === undefined) continue;
      const path = join(this.#folder, name);
      const here = thisOwner();
      const isMine = ownerText(owner) === ownerText(here);
      if (busy.has(path) || !(isMine || isGone(owner))) continue;
      const upload = this.#upload(id, here, owner.boot !== here.boot);
      busy.add(upload.journalPath);
      try {
        // Of two processes that try, one finds the file.
        if (!isMine) await rename(path, upload.journalPath);
        yield upload;
      } catch (error) {
        if (!isAbsent(error)) throw error;
      } finally {
        busy.delete(upload.journalPath);
      }
    }
  }

  #upload(id: string, owner: Owner, isOld: boolean): SpooledUpload {
    const journal = `upload-${id}-${ownerText(owner)}.journal`;
    return {
      journalPath: join(this.#folder, journal),
      filePath: join(this.#folder, `upload-${id}`),
      isOld,
    };
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw spoolFailure(this.#folder, error);
    }
  }
}

function isAbsent(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ENOENT";
}
