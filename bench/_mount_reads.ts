const PROGRAM = new URL("./_mount_reader.ts", import.meta.url).pathname;

/** What is read. */
export interface ReaderOptions {
  /** The mounted tree. */
  readonly root: string;
  /** The tree that it was made of. */
  readonly original: string;
  /** The process that serves the mount, or 0. */
  readonly server: number;
  /** What the offsets of random reads come from. */
  readonly seed: number;
  /** Which round it is; each has offsets of its own. */
  readonly round: number;
  /** Random reads. */
  readonly randomCount: number;
  /** When random reads end at the latest. */
  readonly secondsMax: number;
}

/** What the reads took. The pages of the mount were forgotten before each, but for `second`. */
export interface ReaderResult {
  /** Bytes a second: the large file, as soon as it is mounted. */
  readonly firstLarge: number;
  /** Bytes a second: the large file. */
  readonly large: number;
  /** Seconds a byte that the reader and the server computed for it. */
  readonly largeCpu: number;
  /** Bytes a second: the large file once more, from the page cache where it is kept. */
  readonly secondLarge: number;
  /** Files a second: all small files. */
  readonly small: number;
  /** Seconds a file. */
  readonly smallCpu: number;
  /** Reads a second: single pages of the large file. */
  readonly random: number;
  /** Seconds a read. */
  readonly randomCpu: number;
  /** Checksums of the large file and of all small ones. */
  readonly checksum: string;
  /** Whether every random read gave what is in the original. */
  readonly isRandomEqual: boolean;
}

/**
 * Reads a mounted tree with a program of its own.
 *
 * @param options What to read.
 * @returns What it took.
 * @throws {Error} If a read fails.
 */
export async function readMounted(
  options: ReaderOptions,
): Promise<ReaderResult> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", PROGRAM, JSON.stringify(options)],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return JSON.parse(decoder.decode(stdout)) as ReaderResult;
  throw new Error(`Cannot read ${options.root}\n${decoder.decode(stderr)}`);
}
