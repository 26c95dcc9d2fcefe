/**
 * The names that people give to snapshots.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import { NotFoundError, type StoreOptions } from "@snap/store";
import { isTagName } from "./is_tag_name.ts";
import { orderRecords, partLater } from "./record_order.ts";
import type { NamedRecord, RecordName } from "./record.ts";
import { findRecord, type ListRecordsOptions } from "./records.ts";
import { tagLog, type TagSource } from "./tags.ts";

/** Fewest digits of an id that name a snapshot. */
export const ID_PREFIX_SIZE_MIN = 4;

/** An id or the first digits of one, and maybe those of a record. */
const ID = /^([0-9a-f]{4,64})(?:@([0-9a-f]{4,64}))?$/;

/** A text that names no snapshot of the store. */
export class SnapshotNotFoundError extends Error {
  /** The text. */
  readonly text: string;

  /** Describes the absence. */
  constructor(text: string, reason: string, options?: ErrorOptions) {
    super(`Cannot find snapshot ${text || '""'}: ${reason}`, options);
    this.name = "SnapshotNotFoundError";
    this.text = text;
  }
}

/** The first digits of an id that several snapshots have. */
export class AmbiguousIdError extends Error {
  /** The text. */
  readonly text: string;
  /** Snapshots that it may stand for, each as `ID` or `ID@RECORD`. */
  readonly candidates: readonly string[];

  /** Describes the ambiguity. */
  constructor(text: string, candidates: readonly string[]) {
    super(
      `Cannot tell which snapshot ${text} is: ${candidates.length} ids begin like this`,
    );
    this.name = "AmbiguousIdError";
    this.text = text;
    this.candidates = candidates;
  }
}

/** Source of names and records, as `Snapshots` is. */
export interface RecordSource extends TagSource {
  /** Hasher that checks records. */
  readonly hasher: Hasher;
  /**
   * Reads records, newest first.
   *
   * @param options Which.
   */
  records(
    options?: Omit<ListRecordsOptions, "hasher">,
  ): Promise<NamedRecord[]>;
}

/** Options of {@linkcode resolveSnapshot}. */
export interface ResolveOptions extends StoreOptions {
  /** Machine whose `latest` it is; without it, any. */
  host?: string;
  /** Which `latest`: the path that was saved, as records have it; without it, any. */
  source?: string;
  /**
   * Where `latest` is asked for, as records have paths: what was saved of it, else of the nearest
   * folder above it, else of any.
   */
  folder?: string;
  /** Told of a tag that was taken although the ids of other snapshots begin like it. */
  onShadow?: (tag: string, ids: readonly string[]) => void;
  /** Told of a record that cannot be read, and so is passed over; without it the error is thrown. */
  onDamage?: (name: RecordName, error: unknown) => void;
  /**
   * Told of records that a clock has made that was ahead: `latest` passes those
   * over that are later than now, or takes one for want of another.
   */
  onLater?: (records: readonly NamedRecord[], isTaken: boolean) => void;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/** A text that is taken apart. */
export interface SnapshotTarget {
  /** Text before the first colon. */
  readonly snapshot: string;
  /** Text behind it. */
  readonly path?: string;
}

/**
 * Takes `ID:PATH` apart, at the first colon: no id and no tag has one.
 *
 * @returns Both parts.
 */
export function parseTarget(text: string): SnapshotTarget {
  const colon = text.indexOf(":");
  if (colon < 0) return { snapshot: text };
  return { snapshot: text.slice(0, colon), path: text.slice(colon + 1) };
}

/**
 * Finds the record that a text names: a full id or the first digits of one, of a
 * tree (its newest record) or of a record, `ID@RECORD`, a tag, `latest`, and `TAG~2`
 * or `latest~2` for what came two before. A tag goes before an id.
 *
 * @param options Whose `latest`, what ends the wait.
 * @throws {SnapshotNotFoundError} If nothing has this name.
 * @throws {AmbiguousIdError} If several ids begin like this.
 * @throws {SyntaxError} If the record or the entry of the tag is damaged.
 */
export async function resolveSnapshot(
  snapshots: RecordSource,
  text: string,
  options: ResolveOptions = {},
): Promise<NamedRecord> {
  const earlier = /^(.*)~(\d{1,9})$/.exec(text);
  const base = earlier?.[1] ?? text;
  const back = earlier === null ? 0 : Number(earlier[2]);
  if (base === "latest") {
    return await latest(snapshots, text, back, options);
  }
  if (isTagName(base)) {
    const tagged = await fromTag(snapshots, text, { tag: base, back }, options);
    if (tagged !== undefined) {
      await tellShadow(snapshots, base, tagged, options);
      return tagged;
    }
  }
  if (earlier !== null) {
    const reason = isTagName(base)
      ? `there is no tag ${base}`
      : "~ needs a tag or latest before it";
    throw new SnapshotNotFoundError(text, reason);
  }
  return await fromId(snapshots, text, options);
}

async function latest(
  snapshots: RecordSource,
  text: string,
  back: number,
  options: ResolveOptions,
): Promise<NamedRecord> {
  const { host, onLater } = options;
  const ofHost = (await snapshots.records(recordOptions(options)))
    .filter((one) => host === undefined || one.host === host);
  const source = options.source ?? nearestSource(ofHost, options.folder);
  const all = ofHost.filter((one) =>
    source === undefined || one.source === source
  );
  // The clock is read last: what was saved meanwhile is not later than now.
  const ms = (options.now ?? Date.now)();
  const order = { signal: options.signal, ms };
  const { past, later } = await orderRecords(snapshots, all, order);
  const records = [...past, ...later];
  if (back < records.length) {
    const isTaken = back >= past.length;
    if (later.length > 0) {
      onLater?.(isTaken ? [records[back]] : later, isTaken);
    }
    return records[back];
  }
  const whose = (source === undefined ? "" : ` of ${source}`) +
    (host === undefined ? "" : ` on host ${host}`);
  const count = records.length;
  const found = count === 0
    ? "no record"
    : count === 1
    ? "1 record"
    : `${count} records`;
  throw new SnapshotNotFoundError(text, `the store has ${found}${whose}`);
}

/** The folder, or the nearest one above it, that has a record. */
function nearestSource(
  records: readonly NamedRecord[],
  folder: string | undefined,
): string | undefined {
  const sources = new Set(records.map((one) => one.source));
  for (let at = folder ?? ""; at !== ""; at = at.replace(/\/[^/]*$/, "")) {
    if (sources.has(at)) return at;
  }
  return folder !== undefined && sources.has("/") ? "/" : undefined;
}

async function fromTag(
  snapshots: RecordSource,
  text: string,
  wanted: { readonly tag: string; readonly back: number },
  options: ResolveOptions,
): Promise<NamedRecord | undefined> {
  const { tag, back } = wanted;
  let seen = 0;
  for await (const batch of tagLog(snapshots, tag, options)) {
    if (seen + batch.length <= back) {
      seen += batch.length;
      continue;
    }
    const { name, damage } = batch[back - seen];
    if (damage !== undefined) throw damage;
    if (name !== undefined) {
      return await readNamed(snapshots, text, name, options);
    }
    // The name of a deleted tag may be the beginning of an id again.
    if (back === 0 && ID.test(text.toLowerCase())) return undefined;
    const hint = back === 0 ? `: ${tag}~1 is what it named before` : " then";
    throw new SnapshotNotFoundError(text, `tag ${tag} was deleted${hint}`);
  }
  if (seen === 0) return undefined;
  throw new SnapshotNotFoundError(
    text,
    `tag ${tag} has named ${seen} so far`,
  );
}

async function readNamed(
  snapshots: RecordSource,
  text: string,
  name: RecordName,
  options: ResolveOptions,
): Promise<NamedRecord> {
  const { store, hasher } = snapshots;
  try {
    return await findRecord(store, name, { hasher, signal: options.signal });
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    throw new SnapshotNotFoundError(text, `record ${name.record} is gone`, {
      cause,
    });
  }
}

async function fromId(
  snapshots: RecordSource,
  text: string,
  options: ResolveOptions,
): Promise<NamedRecord> {
  const match = ID.exec(text.toLowerCase());
  if (match === null) {
    throw new SnapshotNotFoundError(text, reasonAgainst(text));
  }
  const [, id, record] = match;
  const found = record === undefined
    ? await recordsOf(snapshots, id, options)
    : (await snapshots.records({ ...recordOptions(options), treePrefix: id }))
      .filter((one) => one.record.startsWith(record));
  const names = new Set(
    found.map((one) =>
      record === undefined ? nameOf(one, id) : `${one.tree}@${one.record}`
    ),
  );
  if (names.size > 1) throw new AmbiguousIdError(text, [...names].sort());
  if (found.length > 0) {
    const { past, later } = partLater(found, (options.now ?? Date.now)());
    return [...past, ...later][0];
  }
  const what = record === undefined
    ? "whose id, or that of its record, begins"
    : "where id and record begin";
  throw new SnapshotNotFoundError(
    text,
    `there is no snapshot ${what} like this`,
  );
}

/** Records with an id that begins like this, of a tree or their own. */
async function recordsOf(
  snapshots: RecordSource,
  idPrefix: string,
  options: ResolveOptions,
): Promise<NamedRecord[]> {
  return await snapshots.records({ ...recordOptions(options), idPrefix });
}

/** The id of a record that begins like this: that of its tree, or else only its own. */
function nameOf({ tree, record }: RecordName, idPrefix: string): string {
  return tree.startsWith(idPrefix) ? tree : `${tree}@${record}`;
}

async function tellShadow(
  snapshots: RecordSource,
  tag: string,
  tagged: NamedRecord,
  options: ResolveOptions,
): Promise<void> {
  const { onShadow } = options;
  const idPrefix = tag.toLowerCase();
  if (onShadow === undefined || !ID.test(idPrefix)) return;
  const others = (await recordsOf(snapshots, idPrefix, options))
    .filter((one) => one.tree !== tagged.tree)
    .map((one) => nameOf(one, idPrefix));
  if (others.length > 0) onShadow(tag, [...new Set(others)].sort());
}

/** Why a text that begins no id names nothing. */
function reasonAgainst(text: string): string {
  const { snapshot, path } = parseTarget(text);
  if (path !== undefined) {
    return `a whole snapshot such as ${snapshot} is wanted, without a path`;
  }
  const digits = `${ID_PREFIX_SIZE_MIN} to 64 hex digits`;
  return isTagName(text)
    ? `there is no such tag, and an id has ${digits}`
    : `it is none of ${digits} of an id, a tag, latest`;
}

function recordOptions(
  options: ResolveOptions,
): Omit<ListRecordsOptions, "hasher"> {
  const { signal, onDamage } = options;
  return { signal, onDamage };
}
