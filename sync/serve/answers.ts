import { hexOf, type Id, ID_SIZE } from "@snap/hash";
import { formatSettings } from "@snap/store/format";
import type { WriteStore } from "@snap/store";
import { checkTagName } from "@snap/store";
import { readRound } from "@snap/store/removal";
import type { Right } from "@snap/store/serve";
import { packName } from "@snap/pack";
import type { FrameRows } from "@snap/pack/write";
import { nativeDecoders } from "@snap/posix/decoders";
import { Pacer } from "@snap/posix/pacer";
import { compareRanges } from "../compare_ranges.ts";
import { SyncError } from "../errors.ts";
import { newMeter } from "../options.ts";
import { isRecipeRoot, openPack } from "../packs/open_pack.ts";
import {
  MESSAGE_SIZE_MAX,
  type Section,
  SectionKind,
  sectionOf,
  SYNC_VERSION,
} from "../protocol/message.ts";
import {
  documentsSection,
  fieldsSection,
  idsSection,
  RANGE_SKIPPED,
  rangesSection,
  readDocuments,
  readFields,
  readIds,
  readRanges,
  readTags,
  type TagRow,
  tagsSection,
} from "../protocol/sections.ts";
import { openStoreSession, type StoreSession } from "../peer/store_session.ts";
import { idAt } from "../records.ts";
import { answerCommit } from "./answer_commit.ts";
import { answerGet } from "./answer_get.ts";
import { answerSeal } from "./answer_seal.ts";
import { decodeTagEntry } from "../tag_entry.ts";
import type { HeldLease } from "./kept_sessions.ts";
import { SessionLease } from "./session_lease.ts";
import { recordNames, type ServedRequest, type ServedStore } from "./served.ts";

/** Ids of a range that hello lists, and differ. */
const HELLO_LIST_MAX = 256;
const DIFFER_LIST_MAX = 4096;
/** Records of one request at most. */
const RECORDS_MAX = 4096;
const RANK: Readonly<Record<Right, number>> = { read: 1, append: 2, prune: 3 };

/** Answers requests, each by what the store holds when it comes. */
export class Answers {
  readonly #served: ServedStore;

  constructor(served: ServedStore) {
    this.#served = served;
  }

  async hello(request: ServedRequest): Promise<Section[]> {
    const { message, right } = request;
    const { env, hasher } = this.#served;
    const fields = readFields(sectionOf(message, SectionKind.fields));
    const version = fields.count("version", 2 ** 16);
    if (version !== SYNC_VERSION) {
      throw new SyncError(
        `Cannot sync: the client has version ${version} of the protocol, this server ${SYNC_VERSION}`,
        { code: "VERSION", hint: "Use the same version of snap on both sides" },
      );
    }
    const session = await this.#session(request);
    try {
      const { storeId } = session.info;
      const settings = formatSettings(session.info.settings);
      const asked = sectionOf(message, SectionKind.ranges);
      const records = asked && await session.records();
      const compared = compareRanges(
        records ?? { live: [], forgotten: [] },
        readRanges(asked),
        HELLO_LIST_MAX,
        hasher,
      );
      const tags = differingTags(
        await session.tags(),
        readTags(sectionOf(message, SectionKind.tags)),
      );
      const { ranges, listed, ids } = compared;
      const isSame = listed.length === 0 && tags.length === 0 &&
        ranges.every(({ count }) => count === RANGE_SKIPPED);
      const isWanted = fields.flag("open") &&
        (!isSame || fields.flag("recheck"));
      const isOpen = isWanted && right !== "read";
      return [
        fieldsSection({
          version: SYNC_VERSION,
          storeId,
          settings,
          right: lowerRight(right, session.info.right),
          messageMax: MESSAGE_SIZE_MAX,
          listed,
          ...(isOpen ? { session: hexOf(env.random(16)) } : {}),
        }),
        rangesSection(ranges),
        idsSection(ids),
        tagsSection(tags),
      ];
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }

  async differ(request: ServedRequest): Promise<Section[]> {
    const session = await this.#session(request);
    try {
      const asked = readRanges(sectionOf(request.message, SectionKind.ranges));
      const records = await session.records();
      const { hasher } = this.#served;
      const { ranges, listed, ids } = compareRanges(
        records,
        asked,
        DIFFER_LIST_MAX,
        hasher,
      );
      return [
        fieldsSection({ listed }),
        rangesSection(ranges),
        idsSection(ids),
      ];
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }

  async get(request: ServedRequest): Promise<readonly Section[]> {
    const { message } = request;
    const fields = readFields(sectionOf(message, SectionKind.fields));
    if (fields.text("want") !== "records") {
      return await answerGet(this.#served, request);
    }
    const session = await this.#session(request);
    try {
      const names = recordNames(readIds(sectionOf(message, SectionKind.ids)));
      if (names.length > RECORDS_MAX) throw largeError("records", RECORDS_MAX);
      const documents = await session.readRecords(names);
      const none = new Uint8Array(0);
      return [documentsSection(documents.map((one) => one?.bytes ?? none))];
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }

  async missing(request: ServedRequest): Promise<Section[]> {
    const { message, right, signal } = request;
    const rows = readIds(sectionOf(message, SectionKind.ids));
    const { session } = message;
    const isWriting = right !== "read" && session.some((byte) => byte !== 0);
    const store = this.#served.store as WriteStore;
    const round = isWriting
      ? (await this.#hold(request)).round
      : await readRound(store, { signal });
    const how = { ...this.#served, session, isWriting, round };
    const bits = await this.#served.sessions.missing(store, rows, how);
    return [{ kind: SectionKind.bits, rows: rows.count, bytes: bits }];
  }

  async put(request: ServedRequest): Promise<Section[]> {
    const { message, signal } = request;
    const store = this.#appendable(request);
    await this.#hold(request);
    const { hasher, sessions } = this.#served;
    const { session: saveId } = message;
    const pacer = new Pacer({ signal });
    for (const { kind, bytes } of message.sections) {
      if (kind !== SectionKind.pack) continue;
      const taken: FrameRows[] = [];
      const how = { hasher, decoders: nativeDecoders, saveId };
      for (const { plain, rows } of openPack(bytes, how)) {
        for (let row = 0; row < rows.count; row++) {
          const object = plain.subarray(rows.offsets[row]);
          if (!isRecipeRoot(object, rows.kinds[row])) continue;
          throw new SyncError(
            "Cannot take a recipe before its content is proved",
            { code: "LYING" },
          );
        }
        taken.push(rows);
        await pacer.yield(plain.length);
      }
      const id = new Uint8Array(ID_SIZE);
      hasher.hashInto(bytes, id);
      await store.create(packName(id), bytes, { signal });
      sessions.add(saveId, taken, bytes.length);
    }
    return [];
  }

  async seal(request: ServedRequest): Promise<readonly Section[]> {
    const store = this.#appendable(request);
    await this.#hold(request);
    return await answerSeal(this.#served, request, store);
  }

  async commit(request: ServedRequest): Promise<readonly Section[]> {
    const store = this.#appendable(request);
    const held = await this.#hold(request);
    return await answerCommit(this.#served, request, { store, ...held });
  }

  async lease(request: ServedRequest): Promise<Section[]> {
    const store = this.#appendable(request);
    const { session } = request.message;
    const { env, sessions } = this.#served;
    sessions.forget(session);
    await new SessionLease({ store, env, session }).end();
    return [];
  }

  async tags(request: ServedRequest): Promise<Section[]> {
    const { message } = request;
    const fields = readFields(sectionOf(message, SectionKind.fields));
    const tag = fields.text("tag");
    checkName(tag);
    const documents = readDocuments(sectionOf(message, SectionKind.documents));
    const session = await this.#session(request);
    try {
      if (documents.length === 0) {
        const entries = await session.tagEntries(tag);
        const encoder = new TextEncoder();
        return [
          documentsSection(
            entries.map((entry) => encoder.encode(JSON.stringify(entry))),
          ),
        ];
      }
      this.#appendable(request);
      const entries = documents.map(decodeTagEntry);
      const count = await session.addTagEntries(tag, entries);
      return [fieldsSection({ count })];
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }

  async forget(request: ServedRequest): Promise<Section[]> {
    checkRight(request.right, "prune");
    const session = await this.#session(request);
    try {
      const rows = readIds(sectionOf(request.message, SectionKind.ids));
      const ids: Id[] = [];
      for (let row = 0; row < rows.count; row++) ids.push(idAt(rows.ids, row));
      await session.forget(ids);
      return [];
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }

  #session({ signal }: ServedRequest): Promise<StoreSession> {
    const meter = newMeter();
    const location = "the store of the server";
    return openStoreSession({ ...this.#served, location, meter, signal });
  }

  /** The lease of the session, before anything is looked at for it. */
  async #hold(request: ServedRequest): Promise<HeldLease> {
    const store = this.#appendable(request);
    const { env, sessions } = this.#served;
    const { session } = request.message;
    return await sessions.hold({ store, env, session });
  }

  #writable(): WriteStore {
    const { store } = this.#served;
    if (store.create === undefined) throw rightError("append");
    return store as WriteStore;
  }

  /** The store, if the request may add to it and has a session. */
  #appendable({ right, message }: ServedRequest): WriteStore {
    checkRight(right, "append");
    if (message.session.every((byte) => byte === 0)) {
      throw new SyncError("Cannot add to the store without a session", {
        code: "SESSION",
      });
    }
    return this.#writable();
  }
}

function checkRight(right: Right, need: Right): void {
  if (RANK[right] < RANK[need]) throw rightError(need);
}

function rightError(need: Right): SyncError {
  return new SyncError(`Cannot do this without the right to ${need}`, {
    code: "RIGHT",
    hint: "Ask for a token that allows more",
  });
}

function largeError(what: string, max: number): SyncError {
  return new SyncError(
    `Cannot read a message as it names at most ${max} ${what}`,
    {
      code: "LARGE",
    },
  );
}

function lowerRight(a: Right, b: Right): Right {
  return RANK[a] < RANK[b] ? a : b;
}

function checkName(tag: string): void {
  try {
    checkTagName(tag);
  } catch (cause) {
    throw new SyncError((cause as Error).message, { code: "FORMAT", cause });
  }
}

/** Tags of which one side knows more than the other. */
function differingTags(
  mine: readonly TagRow[],
  theirs: readonly TagRow[],
): TagRow[] {
  const known = new Map(theirs.map((row) => [row.name, row]));
  const rows = mine.filter((row) => {
    const other = known.get(row.name);
    known.delete(row.name);
    return other === undefined || other.count !== row.count ||
      other.sum.some((byte, i) => byte !== row.sum[i]);
  });
  for (const { name } of known.values()) {
    const head = new Uint8Array(16);
    rows.push({ name, count: 0, sum: new Uint8Array(32), head });
  }
  return rows;
}
