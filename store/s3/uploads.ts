import { createHash } from "node:crypto";
import { copyFile, rename, rm } from "node:fs/promises";
import { eachOf } from "../each.ts";
import { HEADER_SIZE } from "../header.ts";
import type { ReadStore } from "../store.ts";
import { createAgain, isOurs, type Mark } from "../wrap/ours.ts";
import { isTransient, RemoteError } from "../wrap/remote_error.ts";
import type { S3Client } from "./client.ts";
import { readPart } from "./file_part.ts";
import { Journal, type SentPart, sizeOfFile } from "./journal.ts";
import { Multipart } from "./multipart.ts";
import type { Spool, SpooledUpload } from "./spool.ts";

/**
 * Parts of one upload that go at once: what a kill makes go again. A save has
 * several packs under way: with two or four parts of each it was no faster, and
 * took 100 MB more.
 */
const LANES = 1;
/** Most parts that S3 takes. */
const PARTS_MAX = 10_000;
const MIB = 1024 * 1024;
/** Uploads of one file that vanish before the next is not begun. */
const BEGINS_MAX = 3;

/** Codes of a server for an upload, or a part of it, that is gone. */
const VANISHED: ReadonlySet<string> = new Set([
  "InvalidPart",
  "NoSuchKey", // Ceph, asked for the parts.
  "NoSuchUpload",
]);

/** Parts of {@link Uploads}. */
export interface UploadsParts {
  readonly client: S3Client;
  readonly spool: Spool;
  /** Where a whole file is looked at. */
  readonly store: Pick<ReadStore, "size" | "read">;
  /** Size of a part in bytes. */
  readonly partSize: number;
}

export interface FileToUpload {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

/** One upload that is worked on. */
interface Work {
  readonly journal: Journal;
  readonly filePath: string;
  readonly mark: Mark;
  readonly signal: AbortSignal | undefined;
}

/** Uploads of files in parts, which outlive the process that began them. */
export class Uploads {
  readonly #client: S3Client;
  readonly #spool: Spool;
  readonly #store: UploadsParts["store"];
  readonly #partSize: number;
  readonly #place: string;

  constructor({ client, spool, store, partSize }: UploadsParts) {
    this.#client = client;
    this.#spool = spool;
    this.#store = store;
    this.#partSize = partSize;
    const { base, prefix } = client.location;
    this.#place = `${base.href} ${prefix}`;
  }

  /**
   * Uploads a file, and takes it away from its path.
   *
   * @returns True if this call created the name.
   */
  async upload(file: FileToUpload): Promise<boolean> {
    const { name, path, size, signal } = file;
    const options = signal && { signal };
    if (await this.#store.size(name, options) !== undefined) return false;
    const upload = await this.#spool.newUpload();
    try {
      const journal = await Journal.begin(upload.journalPath, {
        name,
        place: this.#place,
        size,
        partSize: partSizeOf(size, this.#partSize),
      });
      await move(path, upload.filePath);
      return await this.#finish(journal, upload, signal);
    } finally {
      this.#spool.release(upload);
    }
  }

  /**
   * Goes on with what other processes left.
   *
   * @returns How many names have become whole.
   */
  async finishAll(signal: AbortSignal | undefined): Promise<number> {
    let count = 0;
    for await (const upload of this.#spool.abandoned()) {
      signal?.throwIfAborted();
      const journal = await Journal.open(upload.journalPath);
      const size = await sizeOfFile(upload.filePath);
      if (
        journal === undefined || journal.head.place !== this.#place ||
        journal.head.size !== size || upload.isOld
      ) {
        await this.#abandon(journal, upload);
        continue;
      }
      await this.#finish(journal, upload, signal);
      count++;
    }
    return count;
  }

  /** Makes an upload whole. One that must wait for the server keeps its file and journal. */
  async #finish(
    journal: Journal,
    upload: SpooledUpload,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { filePath } = upload;
    const { name, size } = journal.head;
    try {
      const head = await readPart(filePath, 0, HEADER_SIZE);
      const mark = { name, size, head };
      const created = await this.#run({ journal, filePath, mark, signal });
      await discard(journal, upload);
      return created;
    } catch (error) {
      // Who interrupts wants nothing left. Whom the network fails wants it later.
      const isForLater = isTransient(error) && !signal?.aborted;
      if (!isForLater) await this.#abandon(journal, upload);
      throw error;
    }
  }

  async #run(work: Work): Promise<boolean> {
    const { journal, mark, signal } = work;
    for (let begins = 1;; begins++) {
      const multipart = await this.#begin(work);
      if (multipart === undefined) {
        const ours = await isOurs(this.#store, mark, signal);
        if (ours !== undefined) return ours;
        continue;
      }
      try {
        const parts = await this.#sendParts(work, multipart);
        return await this.#complete(work, multipart, parts);
      } catch (error) {
        const code = error instanceof RemoteError ? error.code : "";
        if (!VANISHED.has(code) || begins >= BEGINS_MAX) throw error;
        if (code === "InvalidPart") await multipart.abort();
        // It ended well and the answer was lost, or it was ended by others.
        const ours = await isOurs(this.#store, mark, signal);
        if (ours !== undefined) return ours;
        await journal.setUploadId(undefined);
      }
    }
  }

  /** The upload as the server knows it; undefined if a process before this one has ended it. */
  async #begin(
    { journal, mark, signal }: Work,
  ): Promise<Multipart | undefined> {
    const { name } = journal.head;
    if (journal.uploadId !== undefined) {
      return new Multipart(this.#client, name, journal.uploadId, signal);
    }
    if (journal.isResumed) {
      const options = signal && { signal };
      const size = await this.#store.size(name, options);
      if (size === mark.size) return undefined;
    }
    const multipart = await Multipart.begin(this.#client, name, signal);
    // Those whose answer was lost, now or before the process was killed: before
    // the journal says that this one is the only one.
    if (journal.isResumed || multipart.isUnsure) await multipart.abortOthers();
    await journal.setUploadId(multipart.uploadId);
    return multipart;
  }

  async #sendParts(work: Work, multipart: Multipart): Promise<SentPart[]> {
    const { journal, filePath } = work;
    const { size, partSize } = journal.head;
    const there = journal.isResumed
      ? await multipart.listParts()
      : new Map<number, SentPart>();
    const sent: SentPart[] = [];
    const count = Math.ceil(size / partSize);
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    await eachOf(numbers, LANES, async (number) => {
      const offset = (number - 1) * partSize;
      const length = Math.min(partSize, size - offset);
      const load = () => readPart(filePath, offset, length);
      const old = there.get(number);
      if (old?.size === length && await isSame(old, journal, load)) {
        sent[number - 1] = old;
        return;
      }
      const tag = await multipart.send(number, length, load);
      const part = { number, size: length, tag };
      sent[number - 1] = part;
      await journal.addPart(part);
    });
    return sent;
  }

  async #complete(
    work: Work,
    multipart: Multipart,
    parts: readonly SentPart[],
  ): Promise<boolean> {
    const { mark, signal } = work;
    const look = () => isOurs(this.#store, mark, signal);
    const created = await createAgain(
      mark,
      () => multipart.complete(parts),
      look,
      this.#client.retryOptions(),
      signal,
    );
    if (created) return true;
    await multipart.abort();
    // A process before this one may have ended it, and not have heard.
    return work.journal.isResumed && await look() === true;
  }

  async #abandon(
    journal: Journal | undefined,
    upload: SpooledUpload,
  ): Promise<void> {
    const head = journal?.head;
    if (journal?.uploadId !== undefined && head?.place === this.#place) {
      const { name } = head;
      await new Multipart(this.#client, name, journal.uploadId).abort();
    }
    await discard(journal, upload);
  }
}

/** Removes the file first: a journal that stands alone is known to be of no use. */
async function discard(
  journal: Journal | undefined,
  upload: SpooledUpload,
): Promise<void> {
  await rm(upload.filePath, { force: true });
  await journal?.remove();
  await rm(upload.journalPath, { force: true });
}

/** Equal parts, larger where there would be too many. */
function partSizeOf(size: number, partSize: number): number {
  if (size <= partSize * PARTS_MAX) return partSize;
  return Math.ceil(size / PARTS_MAX / MIB) * MIB;
}

/** Whether the server has what the file has: as the journal says, or by MD5. */
async function isSame(
  part: SentPart,
  journal: Journal,
  load: () => Promise<Uint8Array>,
): Promise<boolean> {
  if (journal.part(part.number)?.tag === part.tag) return true;
  const md5 = createHash("md5").update(await load()).digest("hex");
  return part.tag.replaceAll('"', "") === md5;
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EXDEV") throw error;
    await copyFile(from, to);
    await rm(from);
  }
}
