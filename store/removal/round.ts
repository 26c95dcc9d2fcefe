/**
 * Rounds of removal: a log of numbered steps that everybody reads in the same way.
 *
 * @module
 */
import { DocumentSyntaxError, NotFoundError } from "../errors.ts";
import { encodeDocument } from "../format/document.ts";
import { decodeNamed } from "../format/document_form.ts";
import { timeText } from "../format/fields.ts";
import { readDocument } from "../format/read_document.ts";
import type { ReadStore, StoreOptions, WriteStore } from "../store.ts";
import { BAD_PREFIX, listVoidSaves, VOIDS_PREFIX } from "./marks.ts";

const PREFIX = "gc/";
const NUMBER = /^gc\/([1-9]\d{0,15})$/;

/** Fields of a step of a round. Packs and saves are ids in hex digits. */
export type RoundStep =
  | { readonly step: "condemned"; readonly packs: readonly string[] }
  | {
    readonly step: "holders";
    /** By save id the last number of the lease. */
    readonly leases: Readonly<Record<string, number>>;
  }
  | { readonly step: "suspects"; readonly saves: readonly string[] }
  | {
    readonly step: "final";
    readonly packs: readonly string[];
    readonly void: readonly string[];
    readonly ended: readonly string[];
  }
  | { readonly step: "done" };

/** A step as it stands in the log. */
export type WrittenStep = RoundStep & {
  /** Its number. */
  readonly number: number;
  /** When it was written, by the clock of its writer: RFC 3339, UTC, nanoseconds. */
  readonly time: string;
};

/** State of removal. */
export interface Round {
  /** The largest number; 0 if there is none. */
  readonly number: number;
  /** Steps of the open round, the first one first; none if no round is open. */
  readonly steps: readonly WrittenStep[];
  /** Packs that the open round condemns, 64 hex digits each. */
  readonly condemned: ReadonlySet<string>;
  /** Packs that are known to be damaged, 64 hex digits each. */
  readonly badPacks: ReadonlySet<string>;
  /** Both: what lies in them is as absent for whoever looks it up in order not to store it. */
  readonly absentPacks: ReadonlySet<string>;
  /** Saves whose records do not count, 32 hex digits each. */
  readonly voidSaves: ReadonlySet<string>;
}

/** Options of {@linkcode isOvertaken}. */
export interface OvertakenOptions extends StoreOptions {
  /** The save id of a run and those of its records, 32 hex digits each. */
  readonly saveIds: readonly string[];
  /** The state of removal that the run has begun with, read once its lease was there. */
  readonly since: Round;
}

/** What the list of the folder says. */
interface Names {
  /** The largest number; 0 if there is none. */
  readonly last: number;
  readonly badPacks: ReadonlySet<string>;
  readonly voidSaves: ReadonlySet<string>;
}

/** Options of {@linkcode appendStep}. */
export interface AppendStepOptions extends StoreOptions {
  /** Save id of the run that appends, 16 bytes. */
  readonly saveId: Uint8Array;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Reads the state of removal.
 *
 * @returns The open round, if there is one, and the packs that are known to be damaged.
 * @throws {DocumentSyntaxError} If a step is damaged or missing.
 * @throws {UnsupportedVersionError} If a step needs a newer program.
 * @throws {StoreError} If the store fails.
 */
export async function readRound(
  store: ReadStore,
  options: StoreOptions = {},
): Promise<Round> {
  let names = await listNames(store, options);
  while (true) {
    const { last: number, ...marks } = names;
    const steps = await readSteps(store, number, options);
    if (steps !== undefined) {
      const condemned = condemnedBy(steps);
      const absentPacks = new Set([...condemned, ...marks.badPacks]);
      return { number, steps, condemned, absentPacks, ...marks };
    }
    // Steps go once their round is done: the list has missed the one that says so.
    names = await listNames(store, options);
    if (names.last === number) throw gapError(number);
  }
}

/**
 * Tells whether a round has gone on without a run. Asked after a renewal of its
 * lease, and after its record is written.
 *
 * @param options The run.
 * @returns Whether a round suspects it, or its records do not count.
 * @throws {DocumentSyntaxError} If a step is damaged.
 * @throws {UnsupportedVersionError} If a step needs a newer program.
 * @throws {StoreError} If the store fails.
 */
export async function isOvertaken(
  store: ReadStore,
  { saveIds, since, signal }: OvertakenOptions,
): Promise<boolean> {
  // Its lease may have been suspected before it had read the round.
  if (isSuspected(since, saveIds)) return true;
  const { last } = await listNames(store, { signal });
  if (last === since.number) return false;
  for (let number = since.number + 1; number <= last; number++) {
    const step = await readStep(store, number, { signal });
    if (step !== undefined && suspects(step, saveIds)) return true;
  }
  // A step goes after what follows from it is done, so that the marks say what it said.
  const voids = await listVoidSaves(store, { signal });
  return saveIds.some((one) => voids.has(one));
}

/**
 * Tells whether a round suspects a run, or its records do not count.
 *
 * @param round The round.
 * @param saveIds The save id of the run and those of its records, 32 hex digits each.
 * @returns Whether one of them is suspected or void.
 */
export function isSuspected(
  { steps, voidSaves }: Round,
  saveIds: readonly string[],
): boolean {
  return saveIds.some((one) => voidSaves.has(one)) ||
    steps.some((step) => suspects(step, saveIds));
}

function suspects(step: RoundStep, saveIds: readonly string[]): boolean {
  return step.step === "suspects" &&
    saveIds.some((one) => step.saves.includes(one));
}

/**
 * Appends a step, if nobody has taken its number.
 *
 * @param number The largest number and 1, at first as it was read.
 * @param step What it says.
 * @param options Who appends it.
 * @returns `appended`; `taken` if another step has this number: read it, and go on
 * from there; `late` if there are later ones: read the round again, what was found
 * before counts no more.
 * @throws {DocumentSyntaxError} If there are more ids than a document holds; nothing is written.
 * @throws {StoreError} If the store fails.
 */
export async function appendStep(
  store: WriteStore,
  number: number,
  step: RoundStep,
  options: AppendStepOptions,
): Promise<"appended" | "taken" | "late"> {
  const { saveId, now = Date.now, signal } = options;
  const name = `${PREFIX}${number}`;
  const body = { time: timeText(now()), ...step };
  const bytes = encodeDocument({ kind: "GCLG", saveId, body });
  decodeNamed(name, bytes);
  const isNew = await store.create(name, bytes, { signal });
  // Also where a number was free as its step is gone.
  if ((await listNames(store, { signal })).last > number) return "late";
  return isNew ? "appended" : "taken";
}

/** Reads down to the last step `done`; undefined if one is missing on the way. */
async function readSteps(
  store: ReadStore,
  last: number,
  options: StoreOptions,
): Promise<WrittenStep[] | undefined> {
  const steps: WrittenStep[] = [];
  for (let number = last; number > 0; number--) {
    const step = await readStep(store, number, options);
    if (step === undefined) return undefined;
    if (step.step === "done") break;
    steps.unshift(step);
  }
  return steps;
}

async function readStep(
  store: ReadStore,
  number: number,
  options: StoreOptions,
): Promise<WrittenStep | undefined> {
  const name = `${PREFIX}${number}`;
  try {
    const { body } = decodeNamed(
      name,
      await readDocument(store, name, options),
    );
    return { ...body as WrittenStep, number };
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function listNames(
  store: ReadStore,
  { signal }: StoreOptions,
): Promise<Names> {
  let last = 0;
  const badPacks = new Set<string>(), voidSaves = new Set<string>();
  // Numbers come before marks, in buckets and in folders: what made a step go was marked before.
  for await (const batch of store.list(PREFIX, { signal })) {
    for (const { name } of batch) {
      const digits = NUMBER.exec(name)?.[1];
      const mark = name.slice(name.lastIndexOf("/") + 1);
      if (digits !== undefined) last = Math.max(last, Number(digits));
      else if (name.startsWith(BAD_PREFIX)) badPacks.add(mark);
      else if (name.startsWith(VOIDS_PREFIX)) voidSaves.add(mark);
    }
  }
  return { last, badPacks, voidSaves };
}

function condemnedBy(steps: readonly WrittenStep[]): Set<string> {
  const lists = steps.map((one) => one.step === "condemned" ? one.packs : []);
  return new Set(lists.flat());
}

function gapError(number: number): DocumentSyntaxError {
  return new DocumentSyntaxError(
    `Cannot read ${PREFIX}${number} as the steps of its round must be there: one is missing`,
    0,
  );
}
