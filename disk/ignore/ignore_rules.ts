import { RuleLayer } from "./rule_layer.ts";

/** Bytes that a file of patterns has at most. */
export const RULE_FILE_SIZE_MAX: number = 1 << 20;

/** Sources of {@linkcode IgnoreRules}. */
export interface IgnoreOptions {
  /**
   * Patterns in gitignore syntax, relative to the root of the source, each as it is: `#` begins no
   * comment, and spaces at the end count. They come before rule files.
   */
  readonly exclude?: readonly (string | Uint8Array)[];
  /** Contents of files of patterns, line by line as in rule files; they come before `exclude`. */
  readonly excludeFiles?: readonly Uint8Array[];
  /** Name of the rule files, `.snapignore` if absent; `""` for none. */
  readonly fileName?: string;
  /** Drops the content of directories that hold a `CACHEDIR.TAG` with its signature. */
  readonly excludeCaches?: boolean;
}

/**
 * Rules for entries of a source to leave out: patterns given by the caller, and rule files.
 *
 * Syntax and meaning are those of gitignore: a rule file holds for its directory and below, the
 * deepest file that says something decides, its last matching line first. Nothing inside an
 * ignored directory can be taken in again. Names are matched as bytes: `?` is one byte, upper and
 * lower case differ. A line that is no pattern, such as `[a`, matches nothing.
 *
 * @example
 * ```ts
 * import { IgnoreRules } from "@snap/disk/ignore";
 * import assert from "node:assert/strict";
 *
 * const rules = new IgnoreRules({ exclude: ["*.log", "!keep.log"] });
 * const name = new TextEncoder().encode("a.log");
 * assert.ok(rules.scope().ignores(name, 0, name.length, false));
 * ```
 */
export class IgnoreRules {
  /** Name of the rule files as bytes, or nothing when they are not looked for. */
  readonly fileName: Uint8Array | undefined;
  /** Whether the content of marked cache directories is dropped. */
  readonly excludeCaches: boolean;
  readonly #scope: RuleScope;

  /**
   * Takes the patterns of the caller.
   *
   * @param options The rules; without any, only `.snapignore` files count.
   */
  constructor(options: IgnoreOptions = {}) {
    const fileName = options.fileName ?? ".snapignore";
    this.fileName = fileName === ""
      ? undefined
      : new TextEncoder().encode(fileName);
    this.excludeCaches = options.excludeCaches ?? false;
    const { exclude = [], excludeFiles = [] } = options;
    const patterns = exclude.map((pattern) =>
      typeof pattern === "string" ? new TextEncoder().encode(pattern) : pattern
    );
    this.#scope = RuleScope.of(patterns, excludeFiles);
  }

  /**
   * The rules as they stand at the root of a source.
   *
   * @returns The scope of the root, before its own rule file.
   */
  scope(): RuleScope {
    return this.#scope;
  }
}

/** The rules that hold in one directory. Immutable. */
export class RuleScope {
  /** The rules of the caller, if there are any. */
  readonly #caller: RuleLayer | undefined;
  /** The rules of rule files, the deepest first. */
  readonly #files: readonly RuleLayer[];

  private constructor(
    caller: RuleLayer | undefined,
    files: readonly RuleLayer[],
  ) {
    this.#caller = caller?.isEmpty ? undefined : caller;
    this.#files = files.filter((layer) => !layer.isEmpty);
  }

  /**
   * Makes the scope of a root, of the rules of the caller alone.
   *
   * @param patterns Patterns in gitignore syntax.
   * @param files Contents of files of such patterns, which come before those.
   * @returns The scope.
   */
  static of(
    patterns: readonly Uint8Array[],
    files: readonly Uint8Array[],
  ): RuleScope {
    return new RuleScope(RuleLayer.of(patterns, files), []);
  }

  /** Whether no rule holds, so that nothing needs to be asked. */
  get empty(): boolean {
    return this.#caller === undefined && this.#files.length === 0;
  }

  /**
   * Adds the rules of a file in this directory. A line that is no pattern matches nothing.
   *
   * @param rules Lines in gitignore syntax.
   * @returns The scope with both.
   */
  with(rules: Uint8Array): RuleScope {
    const layer = RuleLayer.of([], [rules]);
    return new RuleScope(this.#caller, [layer, ...this.#files]);
  }

  /**
   * The scope of a sub-directory that is not ignored.
   *
   * @param name Bytes with the name of the directory from `start` to `end`.
   * @returns The scope, before the sub-directory's own rule file.
   */
  enter(name: Uint8Array, start: number, end: number): RuleScope {
    if (this.empty) return this;
    const enter = (layer: RuleLayer): RuleLayer =>
      layer.enter(name, start, end);
    return new RuleScope(
      this.#caller && enter(this.#caller),
      this.#files.map(enter),
    );
  }

  /**
   * Whether an entry of this directory is left out.
   *
   * @param name Bytes with the name from `start` to `end`.
   * @param directory Whether the entry is a directory.
   */
  ignores(
    name: Uint8Array,
    start: number,
    end: number,
    directory: boolean,
  ): boolean {
    const verdict = this.#caller?.verdict(name, start, end, directory);
    if (verdict !== undefined) return verdict;
    for (const layer of this.#files) {
      const verdict = layer.verdict(name, start, end, directory);
      if (verdict !== undefined) return verdict;
    }
    return false;
  }
}
