import type { Id } from "@snap/hash";
import { IdSet } from "@snap/snapshot/reach";
import { ObjectKind, ObjectNotFoundError } from "@snap/pack";
import type { NamedRecord } from "@snap/snapshot/records";
import { NotFoundError, StoreError } from "@snap/store";
import { SyncError, type SyncErrorCode } from "../errors.ts";
import { marked, ObjectRows } from "../object_rows.ts";
import type { CopyOptions, SyncReport } from "../options.ts";
import type {
  LostObject,
  ObjectList,
  PeerSession,
  RecordDocument,
  Source,
  Target,
} from "../peer/peer.ts";

/** Records that are moved and written together. */
const GROUP_SIZE = 64;
/** Objects that are asked for together: of a large index each page is read once for all. */
const QUEUE_COUNT = 16_384;
/** Objects that stores in this process are asked for first; then twice as many each time. */
const FIRST_QUEUE_COUNT = 512;
/** Plain bytes that are asked for together. */
const QUEUE_SIZE = 256 << 20;
/** Records that one is compared with. */
const BASES_MAX = 8;
/** How often a target may say that something is missing. */
const COMMITS_MAX = 3;

/** Options of {@linkcode copyRecords}. */
export interface CopyWork {
  readonly from: PeerSession;
  readonly to: PeerSession;
  /** The records, oldest first. */
  readonly records: readonly RecordDocument[];
  /** Records that both sides have. */
  readonly shared: readonly NamedRecord[];
  readonly report: SyncReport;
  /** Takes ids of records that could not be copied. */
  readonly failed?: Set<Id>;
  readonly context: unknown;
}

/**
 * Copies records with all that they reach. One that cannot be had whole is named
 * in the report, and the others go on.
 *
 * @param work What is copied.
 * @param options How.
 */
export async function copyRecords(
  work: CopyWork,
  options: CopyOptions,
): Promise<void> {
  const { records, report, context } = work;
  if (records.length === 0) return;
  const { observer } = options;
  const shared = [...work.shared];
  report.isWalked = false;
  const source = await work.from.openSource();
  try {
    for (let at = 0; at < records.length; at += GROUP_SIZE) {
      const group = records.slice(at, at + GROUP_SIZE);
      const round = ++report.rounds;
      const before = report.recordsCopied;
      const inner = observer?.roundStarted?.(context, round);
      const target = await work.to.openTarget(group.length);
      try {
        const copy = new GroupCopy(work, options, { source, target, shared });
        shared.push(...await copy.run(group));
        const recordsCopied = report.recordsCopied - before;
        observer?.roundEnded?.(inner, { round, recordsCopied });
      } finally {
        await target[Symbol.asyncDispose]();
      }
    }
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/** Copies a group of records. */
class GroupCopy {
  readonly #work: CopyWork;
  readonly #options: CopyOptions;
  readonly #source: Source;
  readonly #target: Target;
  readonly #shared: readonly NamedRecord[];
  #seen = new IdSet();
  #queue = new ObjectRows();
  #queueCount: number;
  /** Moves that have begun, oldest first. */
  readonly #moving: Promise<void>[] = [];
  readonly #movesMax: number;
  #failure: { readonly error: unknown } | undefined;
  /** Plain bytes of the moves that are done, and of all before. */
  #bytesDone: number;
  #lost: LostObject[] = [];

  constructor(
    work: CopyWork,
    options: CopyOptions,
    parts: {
      readonly source: Source;
      readonly target: Target;
      readonly shared: readonly NamedRecord[];
    },
  ) {
    this.#work = work;
    this.#options = options;
    this.#source = parts.source;
    this.#target = parts.target;
    this.#shared = parts.shared;
    this.#bytesDone = work.report.bytesDone;
    // To ask a server takes a request each time.
    const isFar = work.from.isRemote || work.to.isRemote;
    this.#queueCount = isFar ? QUEUE_COUNT : FIRST_QUEUE_COUNT;
    // A server is asked for more while the last of what it has sent is taken.
    this.#movesMax = work.from.isRemote ? 2 : 1;
  }

  /** Moves what the records reach, then writes those that are whole; returns them. */
  async run(group: readonly RecordDocument[]): Promise<NamedRecord[]> {
    const { report } = this.#work;
    const whole = await this.#bring(group);
    if (this.#options.dryRun === true) {
      report.recordsCopied += whole.length;
      return whole.map(({ record }) => record);
    }
    report.phase = "commit";
    await this.#target.finish();
    const written = await this.#commit(whole);
    await this.#target.confirm();
    return written;
  }

  /** Moves what records reach, all of it together; returns those that could be had whole. */
  async #bring(
    group: readonly RecordDocument[],
  ): Promise<readonly RecordDocument[]> {
    const records = group.map(({ record }) => record);
    const lost = await this.#reach(records);
    if (lost.length === 0) return group;
    // What was had in part counts for no other record.
    this.#forget();
    if (group.length === 1) {
      for (const { error } of lost) this.#tell(error);
      this.#fail(records[0], incompleteError(records[0], lost[0].error));
      return [];
    }
    const whole: RecordDocument[] = [];
    for (const document of group) whole.push(...await this.#bring([document]));
    return whole;
  }

  /** Moves what records reach; returns what could not be had. */
  async #reach(records: readonly NamedRecord[]): Promise<LostObject[]> {
    const { report } = this.#work;
    this.#options.signal?.throwIfAborted();
    report.phase = "walk";
    try {
      const bases = this.#basesOf(records);
      const how = { seen: this.#seen, baseReader: this.#target.reader };
      for await (const one of this.#source.walk(records, bases, how)) {
        const { treeId, pageId, tree, page, contents } = one;
        const { tree: treeKind, attributes } = ObjectKind;
        this.#queue.add(treeId, 0, treeKind, tree.bytes.length);
        this.#queue.add(pageId, 0, attributes, page.bytes.length);
        for (let row = 0; row < contents.count; row++) {
          this.#queue.addRow(contents, row);
        }
        const isFull = this.#queue.count >= this.#queueCount ||
          this.#queue.byteCount >= QUEUE_SIZE || this.#source.isFull;
        if (isFull) await this.#move();
      }
      await this.#move();
      const last = this.#work.records.at(-1);
      report.isWalked = records.at(-1)?.record === last?.record.record;
    } catch (error) {
      await this.#moved(0);
      this.#options.signal?.throwIfAborted();
      this.#lost.push({ id: new Uint8Array(32), error: walkError(error) });
    }
    await this.#moved(0);
    return this.#lost.splice(0);
  }

  #forget(): void {
    this.#queue = new ObjectRows();
    this.#seen = new IdSet();
    this.#target.forgetPromises();
  }

  /** Begins to move what is in the queue, once there is room for one move more. */
  async #move(): Promise<void> {
    await this.#moved(this.#movesMax - 1);
    const queue = this.#queue;
    if (queue.count === 0) return;
    this.#queue = new ObjectRows();
    this.#queueCount = Math.min(2 * this.#queueCount, QUEUE_COUNT);
    const moving = this.#moveRows(queue).catch((error) => {
      this.#failure ??= { error };
    });
    this.#moving.push(moving);
    if (this.#source.isFull) await this.#moved(0);
  }

  /** Waits until no more moves than so many are under way, and throws what one has thrown. */
  async #moved(countMax: number): Promise<void> {
    while (this.#moving.length > countMax) await this.#moving.shift();
    if (this.#failure === undefined) return;
    await Promise.all(this.#moving); // Whoever started work waits for its end.
    throw this.#failure.error;
  }

  async #moveRows(met: ObjectRows): Promise<void> {
    const { report, from } = this.#work;
    // A server looks its objects up in the order in which it was asked for them.
    const queue = from.isRemote ? met : met.sorted();
    const lack = marked(queue, await this.#target.missing(queue));
    report.objectsTotal += queue.count;
    report.objectsSkipped += queue.count - lack.count;
    report.bytesTotal += lack.byteCount;
    if (lack.count === 0 || this.#options.dryRun === true) return;
    report.phase = "move";
    this.#lost.push(...await this.#source.move(lack, this.#target));
    await this.#target.settled();
    report.bytesDone = this.#bytesDone += lack.byteCount;
  }

  /** Writes records; returns those that the target took. */
  async #commit(whole: readonly RecordDocument[]): Promise<NamedRecord[]> {
    const written: NamedRecord[] = [];
    const bases = this.#basesOf(whole.map(({ record }) => record));
    let rest = whole, tries = 0;
    while (rest.length > 0) {
      const { count, missing } = await this.#target.commit(rest, bases);
      written.push(...rest.slice(0, count).map(({ record }) => record));
      this.#work.report.recordsCopied += count;
      if (count > 0) tries = 0;
      rest = rest.slice(count);
      if (rest.length === 0) break;
      const [next] = rest;
      if (++tries < COMMITS_MAX && await this.#bringMissing(next, missing)) {
        continue;
      }
      if (tries === COMMITS_MAX) this.#fail(next.record, endlessError(next));
      rest = rest.slice(1);
      tries = 0;
    }
    return written;
  }

  /** Brings what a target lacks of a record; says whether all of it could be had. */
  async #bringMissing(
    document: RecordDocument,
    missing: ObjectList,
  ): Promise<boolean> {
    this.#forget();
    this.#lost.push(...await this.#source.move(missing, this.#target));
    // What was said to be there may not be, either: all of it is asked for again.
    const whole = await this.#bring([document]);
    await this.#target.finish();
    return whole.length > 0;
  }

  /** Records that the target has whole, those that are most alike first. */
  #basesOf(records: readonly NamedRecord[]): NamedRecord[] {
    const own = new Set(records.map(({ record }) => record));
    const places = new Set(records.map(placeOf));
    const time = records.reduce(
      (last, one) => one.time > last ? one.time : last,
      records[0]?.time ?? "",
    );
    const rank = (one: NamedRecord): number =>
      (places.has(placeOf(one)) ? 2 : 0) + (one.time <= time ? 1 : 0);
    return this.#shared.filter(({ record }) =>
      !own.has(record) && this.#target.trustsRecord(record)
    )
      .sort((a, b) => rank(b) - rank(a) || (a.time < b.time ? 1 : -1))
      .slice(0, BASES_MAX);
  }

  #fail({ record }: NamedRecord, error: SyncError): void {
    this.#work.failed?.add(record);
    this.#tell(error);
  }

  #tell(error: SyncError): void {
    this.#work.report.errors.push(error);
    this.#options.observer?.error?.(this.#work.context, error);
  }
}

function walkError(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new SyncError(`Cannot read a directory of the source: ${reason}`, {
    code: codeOf(error),
    hint: "Check the source with `snap verify`",
    cause: error,
  });
}

function codeOf(error: unknown): SyncErrorCode {
  if (error instanceof StoreError) return "STORE";
  const isGone = error instanceof ObjectNotFoundError ||
    error instanceof NotFoundError;
  return isGone ? "GONE" : "MISMATCH";
}

/** Whose directory a record is of. */
function placeOf({ host, source }: NamedRecord): string {
  return JSON.stringify([host, source]);
}

function endlessError({ record }: RecordDocument): SyncError {
  return new SyncError(
    `Cannot write record ${record.record}: the target says each time that something is missing`,
    { code: "LYING", hint: "Check the target with `snap verify`" },
  );
}

function incompleteError(record: NamedRecord, cause: SyncError): SyncError {
  return new SyncError(
    `Cannot copy snapshot ${record.tree}: ${cause.message}`,
    { code: cause.code, cause, ...(cause.hint ? { hint: cause.hint } : {}) },
  );
}
