// The steps of those who remove packs.
import {
  heldBy,
  type LogStep,
  type Memory,
  type Move,
  objectsOf,
  type Pruner,
  type Rules,
  type Scenario,
  type State,
  visible,
  writerOf,
} from "./state.ts";

/** A pruner that stands somewhere. */
interface Standing {
  readonly pruner: Pruner;
  readonly memory: Memory;
  readonly rules: Rules;
  readonly state: State;
  readonly scenario: Scenario;
}

/** The steps that a pruner may take now. */
export function prunerMoves(standing: Standing): Move[] {
  return PRUNER_MOVES[standing.memory.at]?.(standing) ?? [];
}

/** Appends a step, and goes on; where another has the number, reads the log again. */
function append(
  { log }: State,
  own: Memory,
  { step, next, rules }: {
    readonly step: LogStep;
    readonly next: string;
    readonly rules: Rules;
  },
): void {
  const there = log[own.number];
  if (there === undefined) log.push(step);
  else if (!there.isGone || rules.looksAfterAppend) {
    // Also where the one who had it is gone: later ones are there.
    own.at = "resume";
    return;
  } else log[own.number] = step;
  own.number++;
  own.at = next;
}

function rest(own: Memory): void {
  const { rounds } = own;
  for (const key of Object.keys(own)) delete own[key];
  Object.assign(own, { at: "start", rounds });
}

/** By where a pruner stands: what it may do there. */
const PRUNER_MOVES: Readonly<Record<string, (standing: Standing) => Move[]>> = {
  start: ({ pruner, memory }) =>
    memory.rounds >= pruner.rounds ? [] : [{
      label: "begins",
      apply: (_, own) => {
        own.rounds++;
        own.at = "resume";
      },
    }],
  resume: () => [{ label: "reads the log", apply: resume }],
  mark: ({ rules, scenario }) => [{
    label: "lists packs and marks",
    apply: (state, own) => {
      const { dead, partly, kept } = mark(state, rules);
      const opened = scenario.repacks ? partly : [];
      own.moves = opened.flatMap((pack) => kept.get(pack)!);
      own.condemned = [...dead, ...opened];
      if (own.condemned.length === 0) return rest(own);
      own.at = own.moves.length > 0 ? "repack" : "condemn";
    },
  }],
  repack: ({ pruner }) => [{
    label: "repacks",
    apply: (state, own) => {
      const name = `Y${pruner.id}${own.number}`;
      state.packs.push(`${name}:${own.moves.join("+")}`);
      state.packs.sort();
      own.at = "condemn";
    },
  }],
  condemn: ({ rules }) => [{
    label: "appends condemned",
    apply: (state, own) => {
      own.hasRun = true;
      const step: LogStep = { step: "condemned", packs: own.condemned };
      append(state, own, { step, next: "leases", rules });
    },
  }],
  leases: ({ memory, scenario }) => [listLeases(memory, scenario)],
  hold: ({ rules }) => [{
    label: "appends holders",
    apply: (state, own) => {
      own.suspects = [];
      const step: LogStep = { step: "holders", saves: own.holders };
      append(state, own, { step, next: "wait", rules });
    },
  }],
  wait: ({ memory, rules, state }) => {
    const moves = memory.holders.map((holder: string) =>
      settle(holder, state, rules)
    );
    return memory.holders.length > 0 ? moves : [{
      label: "appends suspects",
      apply: (state: State, own: Memory) => {
        const step: LogStep = { step: "suspects", saves: own.suspects };
        append(state, own, { step, next: "names", rules });
      },
    }];
  },
  names: () => [{
    label: "reads which save ids suspects have named",
    apply: (state, own) => {
      own.names ??= namesOf(state, own.suspects);
      own.at = "relist";
    },
  }],
  relist: ({ rules }) => [{
    label: "lists records again",
    apply: (state, own) => {
      const records = visible(state, rules);
      const writers = new Set(records.map(writerOf));
      own.voids = own.names.filter((one: string) => !writers.has(one));
      const left = state.packs.filter((one) => !own.condemned.includes(one));
      const held = heldBy(left), needed = new Set(records.flatMap(objectsOf));
      own.goes = own.condemned.filter((pack: string) =>
        !objectsOf(pack).some((one) => needed.has(one) && !held.has(one))
      );
      own.at = "final";
    },
  }],
  final: ({ rules }) => [{
    label: "appends final",
    apply: (state, own) => {
      const { goes: packs, voids, suspects: saves } = own;
      const step: LogStep = { step: "final", packs, voids, saves };
      append(state, own, { step, next: "void", rules });
    },
  }],
  void: () => [{
    label: "marks void saves",
    apply: (state, own) => {
      state.voids = [...new Set([...state.voids, ...own.voids])].sort();
      state.leases = state.leases.filter((one) =>
        !own.suspects.includes(one.split("/")[0])
      );
      own.at = "remove";
    },
  }],
  remove: ({ memory, rules }) => [
    memory.goes.length > 0
      ? {
        label: `removes ${memory.goes[0]}`,
        apply: (state, own) => {
          const name = own.goes.shift().split(":")[0];
          state.packs = state.packs.filter((one) => one.split(":")[0] !== name);
        },
      }
      : {
        label: "appends done",
        apply: (state, own) => {
          append(state, own, { step: { step: "done" }, next: "", rules });
          for (const step of state.log.slice(0, -1)) step.isGone = true;
          rest(own);
        },
      },
  ],
};

/** Sees that a holder has ended, or suspects it: how long it was waited for nobody knows here. */
function settle(holder: string, { leases }: State, rules: Rules): Move {
  const isThere = leases.some((one) => one.startsWith(`${holder}/`));
  return {
    label: `${isThere ? "suspects" : "sees the end of"} ${holder}`,
    apply: (state, own) => {
      own.holders = own.holders.filter((one: string) => one !== holder);
      if (!isThere) return;
      own.suspects.push(holder);
      if (rules.readsNamesLate) return;
      own.names = [...own.names ?? [], ...namesOf(state, [holder])];
    },
  };
}

/** Goes on from the last step in the log. */
function resume(state: State, own: Memory): void {
  const last = state.log.at(-1);
  own.number = state.log.length;
  if (last === undefined || last.step === "done") {
    if (own.hasRun) return rest(own);
    own.at = "mark";
    return;
  }
  own.hasRun = true;
  own.condemned = state.log.findLast(({ step }) => step === "condemned")!.packs;
  if (last.step === "condemned") own.at = "leases";
  if (last.step === "holders") {
    Object.assign(own, { holders: [...last.saves!], suspects: [], at: "wait" });
  }
  if (last.step === "suspects") {
    Object.assign(own, { suspects: last.saves, at: "names" });
    delete own.names;
  }
  if (last.step === "final") {
    const { packs, voids, saves } = last;
    Object.assign(own, {
      goes: [...packs!],
      voids,
      suspects: saves,
      at: "void",
    });
  }
}

/** Which packs nothing needs, and which are needed in part. */
export function mark(state: State, rules: Rules): {
  readonly dead: string[];
  readonly partly: string[];
  readonly kept: Map<string, string[]>;
} {
  const needed = new Set(visible(state, rules).flatMap(objectsOf));
  const kept = new Map<string, string[]>();
  for (const pack of state.packs) {
    const own = objectsOf(pack).filter((one) => needed.delete(one));
    kept.set(pack, own);
  }
  const count = (pack: string) => kept.get(pack)!.length;
  return {
    dead: state.packs.filter((pack) => count(pack) === 0),
    partly: state.packs.filter((pack) =>
      /^[XY]/.test(pack) && count(pack) > 0 &&
      count(pack) < objectsOf(pack).length
    ),
    kept,
  };
}

function listLeases(memory: Memory, { listsInPages }: Scenario): Move {
  const holders = (leases: readonly string[]) =>
    [...new Set(leases.map((one) => one.split("/")[0]))].sort();
  if (!listsInPages) {
    return {
      label: "lists leases",
      apply: (state, own) => {
        own.holders = holders(state.leases);
        own.at = "hold";
      },
    };
  }
  // In the order of names: 0 and 10 stand before 9.
  const isFirst = (one: string) => !one.endsWith("/9");
  if (memory.page === undefined) {
    return {
      label: "lists leases, first page",
      apply: (state, own) => void (own.page = state.leases.filter(isFirst)),
    };
  }
  return {
    label: "lists leases, second page",
    apply: (state, own) => {
      const second = state.leases.filter((one) => !isFirst(one));
      own.holders = holders([...own.page, ...second]);
      delete own.page;
      own.at = "hold";
    },
  };
}

/** The save ids of some runs: their own, and those that they have named. */
function namesOf({ leases }: State, runs: readonly string[]): string[] {
  const named = leases.map((one) => one.split("/"))
    .filter(([run, , other]) => runs.includes(run) && other !== undefined);
  return [...runs, ...named.map(([, , other]) => other)];
}
