/** A directory of which the kernel tells. */
export interface WatchedDirectory {
  readonly name: string;
  readonly parent: WatchedDirectory | undefined;
  /** Directories in it, by name; absent where none is known. */
  children: Map<string, WatchedDirectory> | undefined;
  /** Number of the watch; -1 if there is none. */
  watch: number;
  /** Another directory with the same watch: the same one under another path. */
  twin: WatchedDirectory | undefined;
  /** The last round in which it or something below it has changed. */
  changed: number;
}

const LATIN_1 = new TextDecoder("latin1");
const SLASH = 0x2f;

/** Directories of a tree by path and by watch, and in which round each has changed. */
export class WatchedTree {
  /** The tree itself, once it is known. */
  root: WatchedDirectory | undefined;
  /** The round in which what changes now is looked at. */
  round = 1;
  readonly #byWatch = new Map<number, WatchedDirectory>();
  readonly #release: (watch: number) => void;

  /**
   * Knows no directory yet.
   *
   * @param release Ends a watch that no directory has any more.
   */
  constructor(release: (watch: number) => void) {
    this.#release = release;
  }

  /**
   * Finds a directory.
   *
   * @param path Its path below the tree; empty for the tree.
   * @returns The directory, or `undefined` if it is not known.
   */
  find(path: Uint8Array): WatchedDirectory | undefined {
    let found = this.root;
    for (let start = 0; found !== undefined && start < path.length;) {
      const slash = path.indexOf(SLASH, start);
      const end = slash < 0 ? path.length : slash;
      found = found.children?.get(LATIN_1.decode(path.subarray(start, end)));
      start = end + 1;
    }
    return found;
  }

  /**
   * Takes a directory in, or looks it up.
   *
   * @param path Its path below the tree.
   * @returns The directory; `undefined` if the one above it is not known.
   */
  enter(path: Uint8Array): WatchedDirectory | undefined {
    if (path.length === 0) return this.root ??= newDirectory("", undefined);
    const end = path.lastIndexOf(SLASH);
    const parent = this.find(path.subarray(0, Math.max(end, 0)));
    if (parent === undefined) return undefined;
    const name = LATIN_1.decode(path.subarray(end + 1));
    const known = parent.children?.get(name);
    if (known !== undefined) return known;
    const directory = newDirectory(name, parent);
    (parent.children ??= new Map()).set(name, directory);
    return directory;
  }

  /** Notes the watch of a directory; under another one it was another directory. */
  setWatch(directory: WatchedDirectory, watch: number): void {
    if (directory.watch === watch) return;
    this.#forgetBelow(directory);
    directory.watch = watch;
    directory.twin = this.#byWatch.get(watch);
    this.#byWatch.set(watch, directory);
  }

  /**
   * Finds those that a watch is of.
   *
   * @returns The first, from which `twin` leads to the others.
   */
  ofWatch(watch: number): WatchedDirectory | undefined {
    return this.#byWatch.get(watch);
  }

  /** Notes a change of a directory, and so of all above it. */
  touch(directory: WatchedDirectory, round: number = this.round): void {
    let current: WatchedDirectory | undefined = directory;
    while (current !== undefined && current.changed < round) {
      current.changed = round;
      current = current.parent;
    }
  }

  /** Forgets a directory and all below it: under that name may be another one. */
  forget(directory: WatchedDirectory): void {
    this.#forgetBelow(directory);
    const { parent, name } = directory;
    if (parent === undefined) this.root = undefined;
    else if (parent.children?.get(name) === directory) {
      parent.children.delete(name);
    }
  }

  /** Forgets what is below a directory. */
  forgetChildren({ children }: WatchedDirectory): void {
    for (const child of children?.values() ?? []) this.forget(child);
  }

  /**
   * Forgets a directory by name.
   *
   * @param name The bytes of the name.
   */
  forgetChild(directory: WatchedDirectory, name: Uint8Array): void {
    const child = directory.children?.get(LATIN_1.decode(name));
    if (child !== undefined) this.forget(child);
  }

  #forgetBelow(top: WatchedDirectory): void {
    const waiting = [top];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      this.#dropWatch(next);
      if (next.children !== undefined) waiting.push(...next.children.values());
      next.children = undefined;
    }
  }

  #dropWatch(directory: WatchedDirectory): void {
    const { watch, twin } = directory;
    if (watch < 0) return;
    directory.watch = -1;
    directory.twin = undefined;
    let before = this.#byWatch.get(watch);
    if (before === directory) {
      if (twin !== undefined) return void this.#byWatch.set(watch, twin);
      this.#byWatch.delete(watch);
      return this.#release(watch);
    }
    while (before !== undefined && before.twin !== directory) {
      before = before.twin;
    }
    if (before !== undefined) before.twin = twin;
  }
}

function newDirectory(
  name: string,
  parent: WatchedDirectory | undefined,
): WatchedDirectory {
  return {
    name,
    parent,
    children: undefined,
    watch: -1,
    twin: undefined,
    changed: 0,
  };
}
