import { createHash } from "node:crypto";
import { eachOf } from "../each.ts";
import { readPart } from "../spool/file_part.ts";
import type { Journal, SentPart } from "../spool/journal.ts";
import type { UploadSender, UploadWork } from "../spool/spooled_uploads.ts";
import type { ReadStore } from "../store.ts";
import { createAgain, isOurs } from "../wrap/ours.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import type { S3Client } from "./client.ts";
import { Multipart } from "./multipart.ts";

/**
 * Parts of one upload that go at once: what a kill makes go again. A save has
 * several packs under way: with two or four parts of each it was no faster, and
 * took 100 MB more.
 */
const LANES = 1;
/** Most parts that S3 takes. */
export const PARTS_MAX = 10_000;
const MIB = 1024 * 1024;
/** Uploads of one file that vanish before the next is not begun. */
const BEGINS_MAX = 3;

/** Codes of a server for an upload, or a part of it, that is gone. */
export const VANISHED: ReadonlySet<string> = new Set([
  "InvalidPart",
  "NoSuchKey", // Ceph, asked for the parts.
  "NoSuchUpload",
]);

/** Parts of {@link MultipartSender}. */
export interface MultipartSenderParts {
  readonly client: S3Client;
  /** Where a whole file is looked at. */
  readonly store: Pick<ReadStore, "size" | "read">;
}

/** Sends files in parts. */
export class MultipartSender implements UploadSender {
  readonly #client: S3Client;
  readonly #store: MultipartSenderParts["store"];

  constructor({ client, store }: MultipartSenderParts) {
    this.#client = client;
    this.#store = store;
  }

  async send(work: UploadWork): Promise<boolean> {
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
    { journal, mark, signal }: UploadWork,
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

  async #sendParts(
    work: UploadWork,
    multipart: Multipart,
  ): Promise<SentPart[]> {
    const { journal, filePath } = work;
    const { size, partSize = size } = journal.head;
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
    work: UploadWork,
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

  async abandon({ head, uploadId }: Journal): Promise<void> {
    if (uploadId === undefined) return;
    await new Multipart(this.#client, head.name, uploadId).abort();
  }
}

/** Equal parts, larger where there would be too many. */
export function partSizeOf(size: number, partSize: number): number {
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
