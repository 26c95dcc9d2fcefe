import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

/** The name of the file that says what an overlay is over. */
const NOTES_NAME = "overlay.json";
/** Bytes of that file at most. */
const NOTES_SIZE_MAX = 64 << 10;
const VERSION = 1;

/** What an overlay is over, kept beside what was written. */
export interface OverlayNotes {
  /** The id of the snapshot. */
  readonly id: string;
  /** Its record. */
  readonly record: string;
  /** Where the store lies, for people. */
  readonly store: string;
  /** The absolute path at which the overlay is mounted. */
  readonly mountpoint: string;
}

/**
 * A private folder with what was written to a snapshot: the upper directory of an
 * overlay, which stays until somebody has saved or discarded it.
 */
export class OverlayFolder {
  /** Its absolute path. */
  readonly path: string;
  /** What the overlay is over. */
  readonly notes: OverlayNotes;

  private constructor(path: string, notes: OverlayNotes) {
    this.path = path;
    this.notes = notes;
  }

  /** The directory with what was written. */
  get upper(): string {
    return join(this.path, "upper");
  }

  /** The directory in which the kernel prepares what goes into the upper one. */
  get work(): string {
    return join(this.path, "work");
  }

  /** The directory on which the snapshot is mounted. */
  get lower(): string {
    return join(this.path, "lower");
  }

  /**
   * Opens a folder.
   *
   * @param path Its absolute path.
   * @returns The folder; `undefined` if there is none.
   * @throws {SyntaxError} If what it says of itself cannot be read.
   */
  static async open(path: string): Promise<OverlayFolder | undefined> {
    let text: string;
    try {
      text = await readFile(join(path, NOTES_NAME), "utf8");
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
    return new OverlayFolder(path, parseNotes(path, text));
  }

  /**
   * Makes a folder, for the user alone.
   *
   * @param path Its absolute path; it is absent or empty.
   * @param notes What the overlay is over.
   */
  static async create(
    path: string,
    notes: OverlayNotes,
  ): Promise<OverlayFolder> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if ((await readdir(path)).length > 0) {
      throw new RangeError(
        `Cannot keep in ${path} what is written: the folder is not empty`,
      );
    }
    await chmod(path, 0o700);
    const folder = new OverlayFolder(path, notes);
    for (const part of [folder.upper, folder.work, folder.lower]) {
      await mkdir(part, { mode: 0o700 });
    }
    // Last: a folder with notes is whole.
    const text = JSON.stringify({ v: VERSION, ...notes });
    await writeFile(join(path, NOTES_NAME), `${text}\n`, { mode: 0o600 });
    return folder;
  }

  /** Whether nothing was written. */
  async isEmpty(): Promise<boolean> {
    return (await readdir(this.upper)).length === 0;
  }

  /** Removes the folder, and what was written. Nothing of it may be mounted. */
  async remove(): Promise<void> {
    // The kernel leaves a directory there that not even its owner may list.
    await chmod(join(this.work, "work"), 0o700).catch(() => {});
    await rm(this.path, { recursive: true, force: true });
  }
}

function parseNotes(path: string, text: string): OverlayNotes {
  const { v, ...notes } = text.length > NOTES_SIZE_MAX ? {} : parsed(text);
  const { id, record, store, mountpoint } = notes;
  const isWhole = [id, record].every(isId) &&
    [store, mountpoint].every((one) => typeof one === "string");
  if (v === VERSION && isWhole) {
    return { id, record, store, mountpoint } as OverlayNotes;
  }
  throw new SyntaxError(
    `Cannot use ${
      join(path, NOTES_NAME)
    }: it is damaged, or of a newer program`,
  );
}

function isId(text: unknown): boolean {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
