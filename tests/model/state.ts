// A store and who works on it, for a checker that tries every order of their
// steps. Objects are letters. A pack is `name:objects`, a record
// `name|writer|header|objects`: the save id in its name and the one in its bytes.
// An entry of a lease is `save id/number`, of a run that names another save id
// `save id/number/other`.

/** Which repairs of the protocol are in force: each one undone brings a violation back. */
export interface Rules {
  /** A standing record replaces look-ups only while no round is open. */
  readonly trustsOnlyWhileClosed: boolean;
  /** A record is void by the save id in its name, not by the one in its bytes. */
  readonly voidsByName: boolean;
  /** The first entry of a lease stays until its end. */
  readonly startStays: boolean;
  /** A pack that is copied gets a salt of its own, so that no name comes back. */
  readonly newSalt: boolean;
  /** A recipe that is found proves nothing: its chunks are looked up. */
  readonly looksUpChunks: boolean;
  /** Who appends a step looks afterwards whether there are later ones. */
  readonly looksAfterAppend: boolean;
  /** A reader lists the index as often as it changes. */
  readonly readerInsists: boolean;
  /** Save ids that a suspected run has named are read after it is suspected. */
  readonly readsNamesLate: boolean;
  /** A save lists packs after the state of removal. */
  readonly packsAfterRound: boolean;
  /** Marks of void saves are listed with the state of removal or later, not before. */
  readonly marksWithRound: boolean;
  /** A run removes its record when it was overtaken; not where it may only append. */
  readonly withdraws: boolean;
}

/** The protocol as it is. */
export const PROTOCOL: Rules = {
  trustsOnlyWhileClosed: true,
  voidsByName: true,
  startStays: true,
  newSalt: true,
  looksUpChunks: true,
  looksAfterAppend: true,
  readerInsists: true,
  readsNamesLate: true,
  packsAfterRound: true,
  marksWithRound: true,
  withdraws: true,
};

/** A step in the log of removal. */
export interface LogStep {
  readonly step: "condemned" | "holders" | "suspects" | "final" | "done";
  /** Packs that are condemned, or go. */
  readonly packs?: readonly string[];
  /** Leases that are waited for, or suspected. */
  readonly saves?: readonly string[];
  /** Saves that become void. */
  readonly voids?: readonly string[];
  /** Whether it was removed after its round. */
  isGone?: boolean;
}

/** Memory of an actor: where it stands, and what it has seen. */
export interface Memory {
  at: string;
  // deno-lint-ignore no-explicit-any -- what each sort of actor has seen
  [seen: string]: any;
}

/** All that there is. */
export interface State {
  packs: string[];
  records: string[];
  leases: string[];
  voids: string[];
  log: LogStep[];
  actors: Memory[];
  crashCount: number;
  dead: string[];
  reports: Record<string, "saved" | "failed">;
  forgotten: string[];
  isReaderStuck: boolean;
}

/** A save, or a copy: what it needs is in the store, or it brings it. */
export interface Saver {
  readonly sort: "saver";
  readonly id: string;
  readonly needs: readonly string[];
  /** The save id in the bytes of its record, which it has from another store. */
  readonly header?: string;
  /** The save id of its record, which it names in its lease. */
  readonly recordId?: string;
  /** Takes over a pack of another store under its name. */
  readonly adopts?: boolean;
  /** Renews its lease. */
  readonly renews?: boolean;
  /** Writes two records under one save id. */
  readonly writesTwo?: boolean;
}

/** One who removes packs. */
export interface Pruner {
  readonly sort: "pruner";
  readonly id: string;
  readonly rounds: number;
}

/** One who forgets a record, perhaps once a save has reported success. */
export interface Forgetter {
  readonly sort: "forgetter";
  readonly id: string;
  readonly record: string;
  readonly after?: string;
}

/** One who reads object `v` twice, with an index in memory. */
export interface Reader {
  readonly sort: "reader";
  readonly id: string;
}

/** One who takes steps. */
export type Actor = Saver | Pruner | Forgetter | Reader;

/** A beginning, and who works on it. */
export interface Scenario {
  readonly name: string;
  readonly packs: readonly string[];
  readonly records: readonly string[];
  readonly actors: readonly Actor[];
  /** How many actors may die. */
  readonly crashes?: number;
  /** Whether live objects are moved out of packs that are dead in part. */
  readonly repacks?: boolean;
  /** Whether leases are listed in two pages. */
  readonly listsInPages?: boolean;
  /** Changes the beginning. */
  readonly begin?: (state: State) => void;
}

/** A step that an actor may take. */
export interface Move {
  readonly label: string;
  readonly apply: (state: State, memory: Memory) => void;
}

/** The objects of a pack or a record. */
export function objectsOf(text: string): string[] {
  const list = text.slice(
    Math.max(text.lastIndexOf("|"), text.lastIndexOf(":")) + 1,
  );
  return list === "" ? [] : list.split("+");
}

/** All objects of some packs. */
export function heldBy(packs: readonly string[]): Set<string> {
  return new Set(packs.flatMap(objectsOf));
}

/** The save id under which a record stands. */
export function writerOf(record: string): string {
  return record.split("|")[1];
}

/** Records that count. */
export function visible(
  { records, voids }: Pick<State, "records" | "voids">,
  { voidsByName }: Rules,
): string[] {
  return records.filter((record) =>
    !voids.includes(record.split("|")[voidsByName ? 1 : 2])
  );
}

/** What must never be. */
export function violationIn(state: State, rules: Rules): string | undefined {
  if (state.isReaderStuck) return "a reader fails though its record stands";
  const held = heldBy(state.packs);
  const records = visible(state, rules);
  for (const record of records) {
    const lost = objectsOf(record).find((one) => !held.has(one));
    if (lost !== undefined) return `a record counts that lacks an object`;
  }
  for (const [saver, report] of Object.entries(state.reports)) {
    const isThere = records.some((one) => one.startsWith(`R${saver}|`));
    if (
      report === "saved" && !isThere && !state.forgotten.includes(`R${saver}`)
    ) {
      return "a save that was acknowledged is gone";
    }
  }
  return undefined;
}
