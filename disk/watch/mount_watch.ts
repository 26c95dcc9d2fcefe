import type { Posix } from "@snap/posix";
import { PollSet } from "@snap/posix";
import { O_CLOEXEC, O_RDONLY, POLLERR, POLLPRI } from "@snap/posix/constants";
import { readWholeFile, terminated } from "../read_whole_file.ts";

const PATH = "/proc/self/mountinfo";
/** Longer paths of a root are not looked up. */
const PATH_SIZE_MAX = 4096;
const SLASH = 0x2f;

/** Tells whether something was mounted or unmounted below a directory, of which inotify is silent. */
export class MountWatch implements Disposable {
  readonly #calls: Posix;
  readonly #fd: number;
  readonly #news = new PollSet(1);
  #root = "";
  #mounts: string | undefined;

  /**
   * Begins to listen; nothing is read yet.
   *
   * @param calls The calls of the operating system.
   */
  constructor(calls: Posix) {
    this.#calls = calls;
    this.#fd = calls.open(terminated(PATH), O_RDONLY | O_CLOEXEC, 0);
  }

  /**
   * Says which directory it is.
   *
   * @param fd The directory, open.
   */
  begin(fd: number): void {
    const name = terminated(`/proc/self/fd/${fd}`);
    const out = new Uint8Array(PATH_SIZE_MAX);
    const size = this.#calls.readlinkAt(-1, name, out);
    this.#root = size < 0 ? "" : escapePath(out.subarray(0, size));
    this.#hasNews();
    this.#mounts = this.#read();
  }

  /**
   * Whether mounts below the directory are others than before. Costs a call where nothing was
   * mounted anywhere.
   *
   * @returns True also where the table of mounts cannot be read.
   */
  hasChanged(): boolean {
    if (this.#mounts === undefined) return true;
    if (!this.#hasNews()) return false;
    const mounts = this.#read();
    const isSame = mounts === this.#mounts;
    this.#mounts = mounts;
    return !isSame;
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    if (this.#fd >= 0) this.#calls.close(this.#fd);
  }

  #hasNews(): boolean {
    this.#news.watch(0, this.#fd, POLLPRI);
    const count = this.#calls.poll(this.#news, 0);
    return count !== 0 && (this.#news.happened(0) & (POLLPRI | POLLERR)) !== 0;
  }

  /** The lines of mounts below the root. */
  #read(): string | undefined {
    const bytes = readWholeFile(this.#calls, PATH);
    if (bytes === undefined || this.#root === "") return undefined;
    const below = this.#root === "/" ? "/" : `${this.#root}/`;
    return new TextDecoder("latin1").decode(bytes).split("\n")
      .filter((line) => line.split(" ", 5)[4]?.startsWith(below)).join("\n");
  }
}

/** A path as mountinfo has it (proc(5)): blanks and backslashes by their octal numbers. */
function escapePath(path: Uint8Array): string {
  if (path[0] !== SLASH) return "";
  return new TextDecoder("latin1").decode(path).replace(
    /[ \t\n\\]/g,
    (blank) => `\\${blank.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}
