import { join } from "node:path";
import type { Hasher } from "@snap/hash";
import { pathToText } from "@snap/manifest/path";
import type {
  ChangeFinder,
  ChangeSearch,
  FoundChanges,
} from "../change_finder.ts";
import { SeenRows } from "./seen_rows.ts";

/** Options of {@linkcode StatCache}. */
export interface StatCacheOptions {
  /** The folder of the files, which is this user's. */
  readonly folder: string;
  /** Store and host, by a name that no others have. */
  readonly key: string;
  /** What hashes the files. */
  readonly hasher: Hasher;
}

/**
 * Keeps what a save has seen of a source: a row for each entry, in the order of the
 * walk. The next save compares in place, and reads no tree of directories that are the
 * same. The files may be removed at any time, and are believed only as they were
 * written: by this user, for the newest record of the source.
 *
 * @example
 * ```ts ignore
 * const changes = new StatCache({ folder, key: "/backup on laptop", hasher });
 * await save(snapshots, "/home/me", { changes });
 * ```
 */
export class StatCache implements ChangeFinder {
  readonly #options: StatCacheOptions;

  /**
   * Reads nothing yet.
   *
   * @param options Where the files are.
   */
  constructor(options: StatCacheOptions) {
    this.#options = options;
  }

  /**
   * Compares a source with the rows of the save before.
   *
   * @param search The source, and its newest record.
   * @returns What is the same; nothing where the rows are of another record.
   */
  async find(search: ChangeSearch): Promise<FoundChanges> {
    const { folder, key, hasher } = this.#options;
    const source = search.openSource();
    try {
      const name = JSON.stringify([key, pathToText(source.path)]);
      const path = join(folder, hasher.idOf(new TextEncoder().encode(name)));
      return await SeenRows.of(search, { source, path, hasher });
    } finally {
      source[Symbol.dispose]();
    }
  }
}
