// The steps of those who save, copy, forget and read.
import {
  type Forgetter,
  heldBy,
  type Memory,
  type Move,
  objectsOf,
  type Reader,
  type Rules,
  type Saver,
  type State,
  visible,
} from "./state.ts";

/** The packs that the open round condemns. */
function condemnedIn({ log }: State): readonly string[] {
  let packs: readonly string[] = [];
  for (const { step, isGone, ...fields } of log) {
    if (isGone) continue;
    if (step === "condemned") packs = fields.packs ?? [];
    if (step === "done") packs = [];
  }
  return packs;
}

/** A saver that stands somewhere. */
interface Standing {
  readonly saver: Saver;
  readonly memory: Memory;
  readonly rules: Rules;
}

/** The steps that a saver may take now. */
export function saverMoves(standing: Standing): Move[] {
  const { saver, memory } = standing;
  const moves = SAVER_MOVES[memory.at]?.(standing) ?? [];
  const isWorking = !["start", "end", "unlease"].includes(memory.at);
  if (!saver.renews || !isWorking || memory.isRenewed) return moves;
  return [...moves, {
    label: memory.isRenewing ? "removes its renewal 9" : "renews: 10",
    apply: (state, own) => {
      if (own.isRenewing) {
        state.leases = state.leases.filter((one) => one !== `${saver.id}/9`);
        own.isRenewed = true;
      } else state.leases.push(`${saver.id}/10`);
      own.isRenewing = true;
    },
  }];
}

function saveIdOf({ recordId, id }: Saver): string {
  return recordId ?? id;
}

function fail(saver: Saver, state: State, own: Memory): void {
  state.reports[saveIdOf(saver)] = "failed";
  own.at = "unlease";
}

function isOvertaken(saver: Saver, { voids, log }: State): boolean {
  return voids.includes(saver.id) || voids.includes(saveIdOf(saver)) ||
    log.some(({ step, saves, isGone }) =>
      !isGone && step === "suspects" && saves!.includes(saver.id)
    );
}

/** By where a saver stands: what it may do there. */
const SAVER_MOVES: Readonly<Record<string, (standing: Standing) => Move[]>> = {
  start: ({ saver, rules }) => [{
    label: "begins its lease",
    apply: (state, own) => {
      if (rules.startStays) state.leases.push(`${saver.id}/0`);
      if (saver.renews || !rules.startStays) state.leases.push(`${saver.id}/9`);
      own.at = "look";
    },
  }],
  // Records and the state of removal are listed side by side.
  look: ({ saver, memory, rules }) => {
    const { records, condemned, packs } = memory;
    const moves: Move[] = [{
      label: "lists records",
      apply: (state, own) => {
        own.records = [...state.records];
        if (!rules.marksWithRound) own.voids = [...state.voids];
      },
    }, {
      label: "reads the state of removal",
      apply: (state, own) => {
        own.condemned = condemnedIn(state);
        if (rules.marksWithRound) own.voids = [...state.voids];
      },
    }, {
      label: "lists packs",
      apply: (state, own) => void (own.packs = [...state.packs]),
    }, {
      label: "looks objects up",
      apply: (_, own) => decide(own, saver, rules),
    }];
    const mayListPacks = condemned !== undefined || !rules.packsAfterRound;
    return moves.filter((_, i) =>
      [
        records === undefined,
        condemned === undefined,
        packs === undefined && mayListPacks,
        records && condemned && packs,
      ][i]
    );
  },
  write: ({ saver, rules }) => [{
    label: "writes a pack",
    apply: (state, own) => {
      const isOld = saver.adopts && !rules.newSalt;
      const name = isOld ? "X" : `Z${saver.id}`;
      const pack = `${name}:${own.brings.join("+")}`;
      if (!state.packs.includes(pack)) state.packs.push(pack);
      state.packs.sort();
      own.at = saver.recordId === undefined ? "record" : "announce";
    },
  }],
  announce: ({ saver }) => [{
    label: "names the save id of its record",
    apply: (state, own) => {
      state.leases.push(`${saver.id}/1/${saveIdOf(saver)}`);
      own.at = "announced";
    },
  }],
  announced: ({ saver }) => [{
    label: "looks whether it was overtaken",
    apply: (state, own) => {
      if (isOvertaken(saver, state)) fail(saver, state, own);
      else own.at = "record";
    },
  }],
  record: ({ saver }) => [{
    label: "writes its record",
    apply: (state, own) => {
      const save = saveIdOf(saver);
      const needs = saver.needs.join("+");
      state.records.push(`R${save}|${save}|${saver.header ?? save}|${needs}`);
      state.records.sort();
      own.at = "confirm";
    },
  }],
  confirm: ({ saver }) => [{
    label: "looks whether it was overtaken",
    apply: (state, own) => {
      if (isOvertaken(saver, state)) {
        fail(saver, state, own);
        if (!own.hasTwo) own.at = "withdraw";
        return;
      }
      state.reports[saveIdOf(saver)] = "saved";
      own.at = saver.writesTwo && !own.hasTwo ? "second" : "unlease";
    },
  }],
  second: ({ saver }) => [{
    label: "writes a second record under its save id",
    apply: (state, own) => {
      const save = saveIdOf(saver);
      own.hasTwo = true;
      own.at = "unlease";
      if (!heldBy(own.packs).has("w")) return;
      own.at = "confirm";
      state.records.push(`R${save}b|${save}|${save}|w`);
      state.records.sort();
    },
  }],
  withdraw: ({ saver, rules }) => [{
    label: "removes its record",
    apply: (state, own) => {
      const start = `R${saveIdOf(saver)}|`;
      if (rules.withdraws) {
        state.records = state.records.filter((one) => !one.startsWith(start));
      }
      own.at = "unlease";
    },
  }],
  unlease: ({ saver }) => [{
    label: "ends its lease",
    apply: (state, own) => {
      const start = `${saver.id}/`;
      state.leases = state.leases.filter((one) => !one.startsWith(start));
      forget(own);
    },
  }],
};

/** Forgets what was seen: states that differ in nothing else are one. */
export function forget(own: Memory): void {
  for (const key of Object.keys(own)) delete own[key];
  own.at = "end";
}

/** What a saver brings itself, once it has seen what there is. */
function decide(own: Memory, saver: Saver, rules: Rules): void {
  const { needs, recordId, writesTwo } = saver;
  const seen = { records: own.records, voids: own.voids };
  const hasParent = visible(seen, rules).some((record) =>
    needs.every((one) => objectsOf(record).includes(one))
  );
  const isClosed = own.condemned.length === 0;
  const trusts = hasParent && (isClosed || !rules.trustsOnlyWhileClosed);
  const packs = own.packs.filter((one: string) => !own.condemned.includes(one));
  const held = heldBy(packs);
  const isProved = (one: string) =>
    !rules.looksUpChunks && one === "c" && held.has("r") && needs.includes("r");
  own.brings = trusts
    ? []
    : needs.filter((one) => !held.has(one) && !isProved(one));
  for (const key of ["records", "voids", "condemned"]) delete own[key];
  if (writesTwo) own.packs = packs;
  else delete own.packs;
  const next = recordId === undefined ? "record" : "announce";
  own.at = own.brings.length > 0 ? "write" : next;
}

/** The step of one who forgets a record. */
export function forgetterMoves(
  { record, after }: Forgetter,
  memory: Memory,
  state: State,
): Move[] {
  if (memory.at === "end") return [];
  if (after !== undefined && state.reports[after] !== "saved") return [];
  const isOf = (one: string) => one.startsWith(`${record}|`);
  if (!state.records.some(isOf)) return [];
  return [{
    label: `forgets ${record}`,
    apply: (state, own) => {
      state.records = state.records.filter((one) => !isOf(one));
      state.forgotten.push(record);
      own.at = "end";
    },
  }];
}

/** The steps of a reader: it reads `v` of record RB twice. */
export function readerMoves(
  _reader: Reader,
  memory: Memory,
  rules: Rules,
): Move[] {
  const stands = (state: State) =>
    visible(state, rules).some((one) => one.startsWith("RB|"));
  const packOf = (state: State) =>
    state.packs.find((one) => objectsOf(one).includes("v"));
  const giveUp = (state: State, own: Memory) => {
    state.isReaderStuck = stands(state);
    own.at = "end";
  };
  switch (memory.at) {
    case "start":
      return [{
        label: "opens the index",
        apply: (state, own) => {
          own.pack = packOf(state);
          own.at = stands(state) && own.pack ? "read" : "end";
        },
      }];
    case "read":
      return [{
        label: "reads",
        apply: (state, own) => {
          if (state.packs.includes(own.pack)) {
            own.count = (own.count ?? 0) + 1;
            if (own.count === 2) own.at = "end";
          } else if (own.hasTried && !rules.readerInsists) giveUp(state, own);
          else own.at = "again";
        },
      }];
    case "again":
      return [{
        label: "lists the index again",
        apply: (state, own) => {
          own.pack = packOf(state);
          if (own.pack === undefined) return giveUp(state, own);
          own.hasTried = true;
          own.at = "read";
        },
      }];
  }
  return [];
}
