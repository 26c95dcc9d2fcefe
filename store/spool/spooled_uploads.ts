import { nodeModule } from "../node_module.ts";
import { HEADER_SIZE } from "../header.ts";
import type { Mark } from "../wrap/ours.ts";
import { isTransient } from "../wrap/remote_error.ts";
import { readPart } from "./file_part.ts";
import { Journal, type JournalHead, sizeOfFile } from "./journal.ts";
import type { Spool, SpooledUpload } from "./spool.ts";

const { copyFile, rename, rm } = nodeModule("node:fs/promises");

/** A file on its way to the server. */
export interface UploadWork {
  readonly journal: Journal;
  readonly filePath: string;
  readonly mark: Mark;
  readonly signal: AbortSignal | undefined;
}

/** The way of one kind of store to send a file. */
export interface UploadSender {
  /**
   * Sends a file, or what the server lacks of it.
   *
   * @returns True if this call created the name.
   */
  send(work: UploadWork): Promise<boolean>;
  /** Ends an upload that will not be gone on with, as far as the server can be reached. */
  abandon(journal: Journal): Promise<void>;
}

/** Parts of {@link SpooledUploads}. */
export interface SpooledUploadsParts {
  readonly spool: Spool;
  /** Where the store is: journals of other places are of no use. */
  readonly place: string;
  readonly sender: UploadSender;
}

/** A file to be uploaded. */
export interface FileToUpload extends Omit<JournalHead, "place"> {
  readonly path: string;
  readonly signal: AbortSignal | undefined;
}

/** Uploads of files that outlive the process that began them. */
export class SpooledUploads {
  readonly #spool: Spool;
  readonly #place: string;
  readonly #sender: UploadSender;

  constructor({ spool, place, sender }: SpooledUploadsParts) {
    this.#spool = spool;
    this.#place = place;
    this.#sender = sender;
  }

  /**
   * Uploads a file, and takes it away from its path.
   *
   * @returns True if this call created the name.
   */
  async upload({ path, signal, ...file }: FileToUpload): Promise<boolean> {
    const upload = await this.#spool.newUpload();
    try {
      const journal = await Journal.begin(upload.journalPath, {
        ...file,
        place: this.#place,
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
      const head = await readPart(filePath, 0, Math.min(size, HEADER_SIZE));
      const mark = { name, size, head };
      const work = { journal, filePath, mark, signal };
      const created = await this.#sender.send(work);
      await discard(journal, upload);
      return created;
    } catch (error) {
      // Who interrupts wants nothing left. Whom the network fails wants it later.
      const isForLater = isTransient(error) && !signal?.aborted;
      if (!isForLater) await this.#abandon(journal, upload);
      throw error;
    }
  }

  async #abandon(
    journal: Journal | undefined,
    upload: SpooledUpload,
  ): Promise<void> {
    if (journal?.head.place === this.#place) {
      await this.#sender.abandon(journal);
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

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EXDEV") throw error;
    await copyFile(from, to);
    await rm(from);
  }
}
