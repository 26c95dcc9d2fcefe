import { nodeModule } from "../node_module.ts";

const { appendFile, readFile, rm, stat, writeFile } = nodeModule(
  "node:fs/promises",
);

/** A part that the server has. */
export interface SentPart {
  readonly number: number;
  readonly size: number;
  readonly tag: string;
}

/** Fields of an upload that do not change. */
export interface JournalHead {
  /** The name in the store. */
  readonly name: string;
  /** Where the store is. A journal is of no use elsewhere. */
  readonly place: string;
  /** Size of the file in bytes. */
  readonly size: number;
  /** Size of each part but the last in bytes; absent where parts may have any size. */
  readonly partSize?: number;
}

interface Lines {
  readonly head: JournalHead;
  uploadId: string | undefined;
  readonly parts: Map<number, SentPart>;
}

/**
 * Journal of an upload, in lines of JSON that are only added to: a kill
 * leaves a last line that is cut at worst, and what it said is asked of the
 * server. It need not survive a crash of the machine: the file beside it would
 * not either.
 */
export class Journal {
  readonly head: JournalHead;
  /** Whether a process before this one has worked on it. */
  readonly isResumed: boolean;
  readonly #path: string;
  readonly #lines: Lines;

  private constructor(path: string, lines: Lines, isResumed: boolean) {
    this.#path = path;
    this.#lines = lines;
    this.head = lines.head;
    this.isResumed = isResumed;
  }

  /** Begins a journal, before anything of its upload has moved. */
  static async begin(path: string, head: JournalHead): Promise<Journal> {
    await writeFile(path, JSON.stringify({ head }), {
      flag: "wx",
      mode: 0o600,
    });
    const lines = { head, uploadId: undefined, parts: new Map() };
    return new Journal(path, lines, false);
  }

  /** Reads a journal; undefined if it was cut before it said anything. */
  static async open(path: string): Promise<Journal | undefined> {
    const lines = parseLines(await readFile(path, "utf8"));
    return lines && new Journal(path, lines, true);
  }

  get uploadId(): string | undefined {
    return this.#lines.uploadId;
  }

  part(number: number): SentPart | undefined {
    return this.#lines.parts.get(number);
  }

  /** Says under which id the server knows the upload; undefined if it knows it no more. */
  async setUploadId(uploadId: string | undefined): Promise<void> {
    this.#lines.uploadId = uploadId;
    this.#lines.parts.clear();
    await this.#add({ uploadId: uploadId ?? null });
  }

  async addPart(part: SentPart): Promise<void> {
    this.#lines.parts.set(part.number, part);
    await this.#add({ part });
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #add(line: unknown): Promise<void> {
    // The line above may be cut.
    await appendFile(this.#path, `\n${JSON.stringify(line)}`);
  }
}

function parseLines(text: string): Lines | undefined {
  let lines: Lines | undefined;
  for (const line of text.split("\n")) {
    const said = parseLine(line);
    if (said === undefined) continue;
    if (lines === undefined) {
      if (!isHead(said.head)) return undefined;
      lines = { head: said.head, uploadId: undefined, parts: new Map() };
    } else if ("uploadId" in said) {
      lines.uploadId = typeof said.uploadId === "string"
        ? said.uploadId
        : undefined;
      lines.parts.clear();
    } else if (isPart(said.part)) lines.parts.set(said.part.number, said.part);
  }
  return lines;
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHead(value: unknown): value is JournalHead {
  const head = value as Partial<JournalHead> | undefined;
  return typeof head?.name === "string" && typeof head.place === "string" &&
    Number.isSafeInteger(head.size) &&
    (head.partSize === undefined ||
      Number.isSafeInteger(head.partSize) && head.partSize > 0);
}

function isPart(value: unknown): value is SentPart {
  const part = value as Partial<SentPart> | undefined;
  return Number.isSafeInteger(part?.number) &&
    Number.isSafeInteger(part?.size) && typeof part?.tag === "string";
}

/** The size of a file; undefined if it is absent. */
export async function sizeOfFile(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
