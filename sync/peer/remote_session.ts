import { type Hasher, type Id, idToBytes } from "@snap/hash";
import { decodeRecord, type RecordName } from "@snap/snapshot/records";
import {
  parseSettings,
  type StoreSettings,
  type TagEntry,
} from "@snap/store/format";
import type { Right } from "@snap/store/serve";
import {
  type BoundRange,
  boundRanges,
  isSameRange,
  skippedRange,
  wholeRanges,
} from "../compare_ranges.ts";
import { SyncError } from "../errors.ts";
import { ObjectRows } from "../object_rows.ts";
import {
  type Message,
  SectionKind,
  sectionOf,
  SYNC_VERSION,
  Verb,
} from "../protocol/message.ts";
import {
  documentsSection,
  type Fields,
  fieldsSection,
  FORGOTTEN_KIND,
  type IdRange,
  idsSection,
  RANGE_SKIPPED,
  rangesSection,
  readDocuments,
  readFields,
  readIds,
  readRanges,
  readTags,
  RECORD_KIND,
  type TagRow,
  tagsSection,
} from "../protocol/sections.ts";
import {
  between,
  bytesOfHex,
  difference,
  idAt,
  idsOf,
  rangeOf,
  recordSet,
  within,
} from "../records.ts";
import { decodeTagEntry } from "../tag_entry.ts";
import type { Transport } from "../transport.ts";
import type {
  ConnectOptions,
  OtherSide,
  PeerInfo,
  PeerSession,
  RecordDifference,
  RecordDocument,
  RecordSet,
  Source,
  Target,
} from "./peer.ts";
import { lyingServer, otherRecord } from "./lost_object.ts";
import { nameRows } from "./name_rows.ts";
import { RemoteConnection } from "./remote_connection.ts";
import { RemoteSource } from "./remote_source.ts";
import { RemoteTarget } from "./remote_target.ts";

/** Records of one request. */
const RECORDS_AT_ONCE = 256;
/** Records that are forgotten by one request. */
const FORGOTTEN_AT_ONCE = 4096;
/** Entries of a tag of one request. */
const ENTRIES_AT_ONCE = 1024;
/** Rounds of a comparison: each one cuts what differs into 16 parts. */
const ROUNDS_MAX = 70;
const NONE: RecordSet = { live: [], forgotten: [] };

/** Parts of a {@linkcode RemoteSession}. */
export interface RemoteSessionOptions extends ConnectOptions {
  readonly transport: Transport;
  readonly hasher: Hasher;
}

/** A server as a side of a sync. */
export class RemoteSession implements PeerSession {
  readonly info: PeerInfo;
  readonly isRemote = true;
  readonly #options: RemoteSessionOptions;
  readonly #connection: RemoteConnection;
  readonly #hello: Message;

  /** Made by {@linkcode openRemoteSession}. */
  constructor(
    options: RemoteSessionOptions,
    connection: RemoteConnection,
    parts: { readonly info: PeerInfo; readonly hello: Message },
  ) {
    this.#options = options;
    this.#connection = connection;
    this.info = parts.info;
    this.#hello = parts.hello;
  }

  get requestCount(): number {
    return this.#connection.requestCount;
  }

  async records(): Promise<RecordSet> {
    return (await this.compare(NONE)).here;
  }

  async compare(other: RecordSet): Promise<RecordDifference> {
    const { hasher } = this.#options;
    const known = this.#options.other?.records;
    let asked = wholeRanges(other, hasher);
    let answer = other === known
      ? this.#hello
      : await this.#connection.ask(Verb.differ, [rangesSection(asked)]);
    const here: RecordSetDraft = { live: [], forgotten: [] };
    const there: RecordSetDraft = { live: [], forgotten: [] };
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const listed = this.#listed(answer, asked);
      addListed(listed, other, { here, there });
      asked = nextRanges(readRanges(sectionOf(answer, SectionKind.ranges)), {
        other,
        hasher,
      });
      if (asked.every(({ count }) => count === RANGE_SKIPPED)) {
        return {
          here: recordSet(here.live, here.forgotten),
          there: recordSet(there.live, there.forgotten),
        };
      }
      answer = await this.#connection.ask(Verb.differ, [rangesSection(asked)]);
    }
    throw this.#lying(`differences without an end in ${ROUNDS_MAX} rounds`);
  }

  async readRecords(
    names: readonly RecordName[],
  ): Promise<(RecordDocument | undefined)[]> {
    const documents: (RecordDocument | undefined)[] = [];
    for (let at = 0; at < names.length; at += RECORDS_AT_ONCE) {
      const some = names.slice(at, at + RECORDS_AT_ONCE);
      const answer = await this.#connection.ask(Verb.get, [
        fieldsSection({ want: "records" }),
        idsSection(nameRows(some)),
      ]);
      const section = sectionOf(answer, SectionKind.documents);
      const found = readDocuments(section);
      if (found.length !== some.length) {
        throw this.#lying(`${found.length} records for ${some.length}`);
      }
      some.forEach((name, i) => documents.push(this.#document(name, found[i])));
    }
    return documents;
  }

  tags(): Promise<readonly TagRow[]> {
    const differing = readTags(sectionOf(this.#hello, SectionKind.tags));
    const known = new Map(
      this.#options.other?.tags.map((row) => [row.name, row]),
    );
    for (const row of differing) known.set(row.name, row);
    return Promise.resolve(
      [...known.values()].filter(({ count }) => count > 0),
    );
  }

  async tagEntries(tag: string): Promise<readonly TagEntry[]> {
    const answer = await this.#connection.ask(Verb.tags, [
      fieldsSection({ tag }),
    ]);
    return readDocuments(sectionOf(answer, SectionKind.documents))
      .map(decodeTagEntry);
  }

  async addTagEntries(
    tag: string,
    entries: readonly TagEntry[],
  ): Promise<number> {
    const encoder = new TextEncoder();
    let count = 0;
    for (let at = 0; at < entries.length; at += ENTRIES_AT_ONCE) {
      const some = entries.slice(at, at + ENTRIES_AT_ONCE)
        .map((entry) => encoder.encode(JSON.stringify(entry)));
      const answer = await this.#connection.askInSession(Verb.tags, () => [
        fieldsSection({ tag }),
        documentsSection(some),
      ]);
      count += readFields(sectionOf(answer, SectionKind.fields)).count("count");
    }
    return count;
  }

  async forget(records: readonly Id[]): Promise<void> {
    for (let at = 0; at < records.length; at += FORGOTTEN_AT_ONCE) {
      const rows = new ObjectRows();
      for (const id of records.slice(at, at + FORGOTTEN_AT_ONCE)) {
        rows.add(idToBytes(id), 0, RECORD_KIND, 0);
      }
      await this.#connection.ask(Verb.forget, [idsSection(rows)]);
    }
  }

  openSource(): Promise<Source> {
    const { info } = this;
    const options = { ...this.#options, info, connection: this.#connection };
    return Promise.resolve(new RemoteSource(options));
  }

  openTarget(): Promise<Target> {
    const { info } = this;
    if (info.right === "read") {
      throw new SyncError(
        `Cannot write to ${info.location}: it may only be read`,
        {
          code: "RIGHT",
          hint: "Ask for a token that allows more",
        },
      );
    }
    const options = { ...this.#options, info, connection: this.#connection };
    return Promise.resolve(new RemoteTarget(options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  #document(
    name: RecordName,
    bytes: Uint8Array,
  ): RecordDocument | undefined {
    if (bytes.length === 0) return undefined;
    const { hasher } = this.#options;
    if (hasher.idOf(bytes) !== name.record) {
      throw otherRecord(name, this.info.location);
    }
    const record = decodeRecord({ ...name, writer: "0".repeat(32) }, bytes);
    return { record, bytes: bytes.slice() };
  }

  #lying(sent: string): SyncError {
    return lyingServer(this.info.location, sent);
  }

  /** Ranges that the server has listed, each with its ids. */
  #listed(answer: Message, asked: readonly IdRange[]): ListedRange[] {
    const bound = boundRanges(asked);
    const fields = readFields(sectionOf(answer, SectionKind.fields));
    const numbers = new Set(Object.values(fields.object("listed")));
    const ranges = bound.filter(({ row }) => numbers.has(row))
      .map((range) => ({
        range,
        live: [] as RecordName[],
        forgotten: [] as Id[],
      }));
    const bySet = [0, 1].map((set) =>
      ranges.filter(({ range }) => range.set === set)
    );
    const rows = readIds(sectionOf(answer, SectionKind.ids));
    for (let row = 0; row < rows.count; row++) {
      const id = idAt(rows.ids, row);
      const set = rows.kinds[row] === FORGOTTEN_KIND ? 1 : 0;
      // They come in the order of the ranges.
      while (bySet[set].length > 0 && id > bySet[set][0].range.last) {
        bySet[set].shift();
      }
      const [home] = bySet[set];
      // A record comes with its tree.
      const isCut = set === 0 && row + 1 === rows.count;
      if (home === undefined || id <= home.range.lower || isCut) {
        throw this.#lying(`record ${id}, which was not asked for`);
      }
      if (set === 1) home.forgotten.push(id);
      else home.live.push({ record: id, tree: idAt(rows.ids, ++row) });
    }
    return ranges;
  }
}

interface RecordSetDraft {
  readonly live: RecordName[];
  readonly forgotten: Id[];
}

interface ListedRange {
  readonly range: BoundRange;
  readonly live: readonly RecordName[];
  readonly forgotten: readonly Id[];
}

function addListed(
  listed: readonly ListedRange[],
  other: RecordSet,
  sides: { readonly here: RecordSetDraft; readonly there: RecordSetDraft },
): void {
  for (const { range, live, forgotten } of listed) {
    const { lower, last, upper } = range;
    const mine = range.set === 0
      ? {
        live: between(other.live, ({ record }) => record, lower, last),
        forgotten: [],
      }
      : { live: [], forgotten: within(other.forgotten, lower, upper) };
    const { here, there } = difference({ live, forgotten }, mine);
    sides.here.live.push(...here.live);
    sides.here.forgotten.push(...here.forgotten);
    sides.there.live.push(...there.live);
    sides.there.forgotten.push(...there.forgotten);
  }
}

/** The ranges to ask about next: those that this side knows otherwise. */
function nextRanges(
  answered: readonly IdRange[],
  { other, hasher }: { readonly other: RecordSet; readonly hasher: Hasher },
): IdRange[] {
  const next: IdRange[] = [];
  const sets = [idsOf(other, 0), idsOf(other, 1)];
  for (const range of boundRanges(answered)) {
    const { lower, upper, set } = range;
    const own = rangeOf(sets[set], set, lower, upper, hasher);
    if (isSameRange(own, range)) continue;
    if (lower !== "") {
      next.push(skippedRange(bytesOfHex(lower), set));
    }
    next.push(own);
  }
  return next;
}

/**
 * Says hello to a server.
 *
 * @param options What carries messages, and what the other side has.
 * @returns The session.
 */
export async function openRemoteSession(
  options: RemoteSessionOptions,
): Promise<RemoteSession> {
  const connection = new RemoteConnection(options);
  const { other, hasher, dryRun } = options;
  const hello = await connection.ask(Verb.hello, [
    fieldsSection({
      version: SYNC_VERSION,
      features: 0,
      open: dryRun !== true,
      recheck: options.recheck === true,
    }),
    ...sectionsOf(other, hasher),
  ]);
  const fields = readFields(sectionOf(hello, SectionKind.fields));
  const right = fields.text("right", 10) as Right;
  connection.takeSession(fields);
  const info: PeerInfo = {
    location: connection.location,
    storeId: fields.text("storeId", 64),
    settings: settingsOf(fields, connection.location),
    right,
  };
  return new RemoteSession(options, connection, { info, hello });
}

/** How a server says that it packs objects. */
function settingsOf(fields: Fields, location: string): StoreSettings {
  try {
    return parseSettings(fields.object("settings"));
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    throw new SyncError(
      `Cannot use the settings of ${location}: ${(cause as Error).message}`,
      { code: "FEATURES", cause },
    );
  }
}

function sectionsOf(
  other: OtherSide | undefined,
  hasher: Hasher,
): ReturnType<typeof rangesSection>[] {
  if (other === undefined) return [];
  const ranges = wholeRanges(other.records, hasher);
  return [rangesSection(ranges), tagsSection(other.tags)];
}
