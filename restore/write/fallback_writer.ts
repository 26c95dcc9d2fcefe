import { DiskError } from "@snap/disk";
import type { Target, TargetDirectory } from "@snap/disk/target";
import { ID_SIZE, idFromBytes } from "@snap/hash";
import {
  DamageError,
  isObjectFault,
  ObjectKind,
  ObjectNotFoundError,
} from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import { NotFoundError } from "@snap/store";
import { directoryOf, nameOf, pathOf } from "../plan/batch_rows.ts";
import { entryError } from "../plan/entry_error.ts";
import { FileSink } from "./file_sink.ts";
import { FilePlan, type RestoreBatch } from "../messages.ts";
import { DamagedEntryError } from "../errors.ts";
import { numbersOf, toAttributes, wantedXattrs } from "./wanted_attributes.ts";

/** Parts of {@linkcode FallbackWriter}. */
export interface FallbackWriterOptions {
  readonly reader: StoreReader;
  /** The target; absent in a dry run. */
  readonly target: Target | undefined;
  readonly xattrs: boolean;
  /** Removes a directory that stands in the way of a file. */
  readonly clear: (directory: TargetDirectory, name: Uint8Array) => void;
  readonly onError: (error: DiskError) => void;
  /** Told of an attribute that could not be set. */
  readonly onMissing: (error: DiskError) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Writes files one after the other through the reader of the store, which
 * waits, tries every copy, and knows what is wrong.
 */
export class FallbackWriter {
  readonly #options: FallbackWriterOptions;

  constructor(options: FallbackWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes a file.
   *
   * @returns Whether it was written; if not, the error has been told.
   */
  async write(batch: RestoreBatch, row: number): Promise<boolean> {
    const { signal } = this.#options;
    try {
      await this.#write(batch, row);
      return true;
    } catch (error) {
      if (signal?.aborted || !isObjectFault(error)) throw error;
      this.#options.onError(
        error instanceof DiskError
          ? entryError(error, pathOf(batch, row))
          : await this.#explain(batch, row, error),
      );
      return false;
    }
  }

  async #write(batch: RestoreBatch, row: number): Promise<void> {
    const { target, xattrs, clear, onMissing } = this.#options;
    const content = await this.#open(batch, row);
    if (target === undefined) return await content.pipeTo(new WritableStream());
    const directory = target.directoryAt(directoryOf(batch, row));
    const name = nameOf(batch, row);
    const isFree = batch.plans[row] === FilePlan.create;
    const file = target.createFile(directory, name, {
      temporary: true,
      isFree,
    });
    try {
      const extras = new Map(batch.extras).get(row);
      const sink = new FileSink(file, extras?.holes);
      let offset = 0;
      for await (const bytes of content) {
        sink.write(bytes, offset);
        offset += bytes.length;
      }
      sink.finish(offset);
      const wanted = toAttributes(
        numbersOf(batch, row),
        xattrs ? wantedXattrs(extras) : undefined,
      );
      file.setAttributes(wanted).forEach(onMissing);
      if (batch.plans[row] === FilePlan.clear) clear(directory, name);
      file.finish();
    } finally {
      file.abandon();
    }
  }

  /** All of its content; the stream fails if it is not what its id says. */
  async #open(
    batch: RestoreBatch,
    row: number,
  ): Promise<ReadableStream<Uint8Array>> {
    const { reader } = this.#options;
    const content = await reader.openContent(
      idOf(batch, row),
      batch.sizes[row],
      this.#options,
    );
    return content.stream(this.#options);
  }

  /** Names the object and the pack. */
  async #explain(
    batch: RestoreBatch,
    row: number,
    error: unknown,
  ): Promise<DamagedEntryError> {
    const path = pathOf(batch, row);
    if (error instanceof DamageError) {
      const { id, kind, packName } = error;
      return new DamagedEntryError({ path, id, kind, packName }, error);
    }
    if (error instanceof ObjectNotFoundError) {
      const { id, kind } = error;
      return new DamagedEntryError({ path, id, kind }, error);
    }
    const id = idOf(batch, row);
    if (error instanceof NotFoundError) {
      const { content: kind } = ObjectKind;
      const packName = error.storeName;
      const damage = { path, id: idFromBytes(id), kind, packName };
      return new DamagedEntryError(damage, error);
    }
    for (const kind of [ObjectKind.recipe, ObjectKind.content]) {
      const place = await this.#options.reader.index.locate(id, kind)
        .catch(() => undefined);
      if (place === undefined) continue;
      const { packName } = place;
      const damage = { path, id: idFromBytes(id), kind, packName };
      return new DamagedEntryError(damage, error);
    }
    const kind = ObjectKind.content;
    return new DamagedEntryError({ path, id: idFromBytes(id), kind }, error);
  }
}

function idOf(batch: RestoreBatch, row: number): Uint8Array {
  return batch.ids.slice(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
}
