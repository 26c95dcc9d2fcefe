/** What is measured of a program: shell commands over `$TREE`, `$STORE`, `$TARGET` and, for restore, `$ID`. */
export interface Program {
  /** The name in tables. */
  readonly name: string;
  /** Whether it stores snapshots, or shows what the machine can do at best. */
  readonly kind: "ours" | "peer" | "floor";
  /** Prints the version, and fails where the program is not installed. */
  readonly version: string;
  /** Prints JSON lines that say what ran, and what its store is like; run after a save. */
  readonly about?: string;
  /** What `about` has to say, or the figures would be of something else. */
  readonly expected?: Readonly<Record<string, string>>;
  /** Makes a new store; not measured. */
  readonly init?: string;
  /** Saves `$TREE`. */
  readonly save?: string;
  /** Saves `$TREE` again, when little or nothing has changed. */
  readonly again?: string;
  /** Restores what was saved first into the new folder `$TARGET`. */
  readonly restore?: string;
  /** Fails where `$TARGET` is not what was saved. Default: it is compared with `$TREE`, in all that the program keeps. */
  readonly compare?: string;
}

/** How hard everybody compresses. */
export type Level = "default" | "1";
