// Tries every order of the steps of all actors, a crash at any of them, breadth
// first: the first way to a violation is a shortest one.
import { mark, prunerMoves } from "./pruner.ts";
import { forget, forgetterMoves, readerMoves, saverMoves } from "./saver.ts";
import {
  type Actor,
  type Move,
  type Rules,
  type Scenario,
  type State,
  violationIn,
} from "./state.ts";

/** What was found. */
export interface Findings {
  /** How many states were looked at. */
  readonly stateCount: number;
  /** Whether these are all. */
  readonly isExhausted: boolean;
  /** Each sort of violation, with a shortest way to it. */
  readonly violations: ReadonlyMap<string, readonly string[]>;
}

/** Looks at all states of a scenario; where one violation is enough, at as many as it takes. */
export function explore(
  scenario: Scenario,
  rules: Rules,
  isOneEnough = false,
): Findings {
  const start = JSON.stringify(beginningOf(scenario));
  /** By state: the one before, and what led from there. */
  const ways = new Map<string, readonly [string, string] | undefined>([
    [start, undefined],
  ]);
  const violations = new Map<string, string[]>();
  const report = (violation: string, key: string) => {
    if (violations.has(violation)) return;
    const steps: string[] = [];
    for (let way = ways.get(key); way !== undefined; way = ways.get(way[0])) {
      steps.unshift(way[1]);
    }
    violations.set(violation, steps);
  };
  let front = [start], stateCount = 0;
  while (front.length > 0) {
    const next: string[] = [];
    for (const key of front) {
      stateCount++;
      let hasMoved = false;
      for (
        const { label, state, isCrash } of successors(key, scenario, rules)
      ) {
        hasMoved ||= !isCrash;
        const reached = JSON.stringify(state);
        if (ways.has(reached)) continue;
        ways.set(reached, [key, label]);
        const violation = violationIn(state, rules);
        if (violation === undefined) next.push(reached);
        else report(violation, reached);
      }
      if (hasMoved) continue;
      const violation = leftovers(key, scenario, rules);
      if (violation !== undefined) report(violation, key);
    }
    if (isOneEnough && violations.size > 0) break;
    front = next;
  }
  return { stateCount, isExhausted: front.length === 0, violations };
}

function beginningOf(scenario: Scenario): State {
  const state: State = {
    packs: scenario.packs.toSorted(),
    records: scenario.records.toSorted(),
    leases: [],
    voids: [],
    log: [],
    actors: scenario.actors.map(({ sort }) =>
      sort === "pruner" ? { at: "start", rounds: 0 } : { at: "start" }
    ),
    crashCount: 0,
    dead: [],
    reports: {},
    forgotten: [],
    isReaderStuck: false,
  };
  scenario.begin?.(state);
  return state;
}

function* successors(
  key: string,
  scenario: Scenario,
  rules: Rules,
): Generator<{ label: string; state: State; isCrash: boolean }> {
  const before: State = JSON.parse(key);
  for (const [i, actor] of scenario.actors.entries()) {
    if (before.actors[i].at === "end") continue;
    for (const { label, apply } of movesOf(actor, i, before, scenario, rules)) {
      const state: State = JSON.parse(key);
      apply(state, state.actors[i]);
      yield { label: `${actor.id} ${label}`, state, isCrash: false };
    }
    const isMortal = actor.sort === "saver" || actor.sort === "pruner";
    const { at } = before.actors[i];
    if (!isMortal || at === "start") continue;
    if (before.crashCount >= (scenario.crashes ?? 0)) continue;
    const state: State = JSON.parse(key);
    state.crashCount++;
    state.dead.push(actor.id);
    forget(state.actors[i]);
    yield { label: `${actor.id} dies before: ${at}`, state, isCrash: true };
  }
}

function movesOf(
  actor: Actor,
  number: number,
  state: State,
  scenario: Scenario,
  rules: Rules,
): Move[] {
  const memory = state.actors[number];
  switch (actor.sort) {
    case "saver":
      return saverMoves({ saver: actor, memory, rules });
    case "pruner":
      return prunerMoves({ pruner: actor, memory, rules, state, scenario });
    case "forgetter":
      return forgetterMoves(actor, memory, state);
    case "reader":
      return readerMoves(actor, memory, rules);
  }
}

/** What is wrong once nobody moves any more and prune has run three times by itself. */
function leftovers(
  key: string,
  scenario: Scenario,
  rules: Rules,
): string | undefined {
  const alone: Scenario = {
    ...scenario,
    ...{ crashes: 0, listsInPages: false },
    actors: [{ sort: "pruner", id: "later", rounds: 3 }],
  };
  let state: State = JSON.parse(key);
  state.actors = [{ at: "start", rounds: 0 }];
  for (;;) {
    const next = successors(JSON.stringify(state), alone, rules).next();
    if (next.done) break;
    state = next.value.state;
    const violation = violationIn(state, rules);
    if (violation !== undefined) return `after a later prune: ${violation}`;
  }
  const { dead } = mark(state, rules);
  return dead.length > 0 ? "a dead pack stays for ever" : undefined;
}
