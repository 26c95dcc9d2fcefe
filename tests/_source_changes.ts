// Random changes of a directory, as people and programs make them.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Prng } from "./_prng.ts";

/** Names that there are: few, so that what comes and goes meets again. */
const NAMES = ["a", "b", "c", "d", "e", "f.log", "g.log", "h.tmp"];
/** Lines of rule files. */
const RULES = ["*.log", "*.tmp", "a/", "/b", "!g.log", "c/d", "# nothing"];

/** A directory that changes. */
export class SourceChanges {
  /** The directory. */
  readonly path: string;
  readonly #prng: Prng;

  /** Fills an empty directory. */
  constructor(path: string, prng: Prng) {
    this.path = path;
    this.#prng = prng;
    for (let i = 0; i < 60; i++) this.#try(() => this.#make());
  }

  /**
   * Makes one change.
   *
   * @returns What was done.
   */
  change(): string {
    const changes = {
      make: () => this.#make(),
      make2: () => this.#make(),
      append: () => appendFileSync(this.#file(), "more"),
      rewrite: () => this.#rewrite(),
      rewrite2: () => this.#rewrite(),
      remove: () => rmSync(this.#entry(), { recursive: true }),
      move: () => this.#move(),
      move2: () => this.#move(),
      swap: () => this.#swap(this.#entry(), this.#entry()),
      swapDirectories: () => this.#swap(this.#directory(), this.#directory()),
      chmod: () => chmodSync(this.#file(), this.#prng.pick([0o600, 0o755])),
      link: () => linkSync(this.#file(), this.#newPath()),
      symlink: () => symlinkSync(this.#prng.pick(NAMES), this.#newPath()),
      rules: () =>
        writeFileSync(join(this.#directory(), ".snapignore"), this.#rules()),
      noRules: () => rmSync(join(this.#directory(), ".snapignore")),
      tag: () =>
        writeFileSync(
          join(this.#directory(), "CACHEDIR.TAG"),
          "Signature: 8a477f597d28d172789f06886806bc55",
        ),
      touch: () => utimesSync(this.#entry(), 1e9, this.#prng.below(1e9)),
      nothing: () => {},
    };
    const name = this.#prng.pick(Object.keys(changes));
    return name + this.#try(changes[name as keyof typeof changes]);
  }

  /** There may be no such entry, or one already. */
  #try(change: () => void): string {
    try {
      change();
      return "";
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      return ` (${error.code})`;
    }
  }

  #make(): void {
    const path = this.#newPath();
    mkdirSync(dirname(path), { recursive: true });
    if (this.#prng.below(3) === 0) mkdirSync(path);
    else writeFileSync(path, this.#content());
  }

  /** New content, often of the same size and with the time put back. */
  #rewrite(): void {
    const path = this.#file();
    const { size, atime, mtime } = lstatSync(path);
    writeFileSync(path, this.#content().slice(0, size).padEnd(size, "x"));
    if (this.#prng.below(2) === 0) utimesSync(path, atime, mtime);
  }

  #move(): void {
    const from = this.#entry(), to = this.#newPath();
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
  }

  #swap(a: string, b: string): void {
    if (a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)) return;
    const aside = join(this.path, "aside");
    renameSync(a, aside);
    renameSync(b, a);
    renameSync(aside, b);
  }

  #content(): string {
    return `${this.#prng.u32()}`.repeat(this.#prng.below(4));
  }

  #rules(): string {
    return `${this.#prng.pick(RULES)}\n${this.#prng.pick(RULES)}\n`;
  }

  #newPath(): string {
    return join(this.#directory(), this.#prng.pick(NAMES));
  }

  #file(): string {
    return this.#prng.pick(
      this.#all().filter((path) => lstatSync(path).isFile()),
    ) ?? "";
  }

  #directory(): string {
    const all = this.#all().filter((path) => lstatSync(path).isDirectory());
    return this.#prng.pick([this.path, ...all]);
  }

  #entry(): string {
    return this.#prng.pick(this.#all()) ?? "";
  }

  #all(): string[] {
    const names = readdirSync(this.path, { recursive: true }) as string[];
    return names.map((name) => join(this.path, name)).filter(existsSync).sort();
  }
}
