import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import type { AttributeSetter } from "./target_attributes.ts";
import type { TargetDirectory } from "./target_directories.ts";

/** Attributes of a file that was created just now. */
export interface FreshFile {
  /** Owner and mode, in row 0. */
  readonly stats: StatTable;
  /** Whether it has extended attributes, as from the default access control list of its directory. */
  readonly hasXattrs: boolean;
}

/** Attributes that creation gives: alike within a directory, so one file is looked at. */
export class FreshFiles {
  readonly #calls: DiskCalls;
  readonly #setter: AttributeSetter;
  readonly #known: WeakMap<TargetDirectory, FreshFile> = new WeakMap();

  constructor(calls: DiskCalls, setter: AttributeSetter) {
    this.#calls = calls;
    this.#setter = setter;
  }

  /** Looks at a file that was created just now; no answer where nothing is known. */
  look(directory: TargetDirectory, fd: number): FreshFile | undefined {
    const known = this.#known.get(directory);
    if (known !== undefined) return known;
    const stats = new StatTable(1);
    if (this.#calls.stat(fd, stats, 0) < 0) return undefined;
    const place = { fd, path: () => directory.path };
    const hasXattrs = !this.#setter.hasXattrs(place, []);
    const found = { stats, hasXattrs };
    this.#known.set(directory, found);
    return found;
  }
}
