import { setTimeout } from "node:timers/promises";
import { listPacks } from "@snap/pack/index";
import {
  appendStep,
  listBadPacks,
  readSaveIds,
  type Round,
  type RoundStep,
  type WrittenStep,
} from "@snap/store/removal";
import type { IdSet } from "@snap/snapshot/reach";
import { finishedSaves } from "@snap/snapshot/records";
import type { Condemned } from "./condemn.ts";
import { lookAtHolders, sortLeases } from "./leases.ts";
import { CONDEMNED_MAX, idIn } from "./plan.ts";
import { carryOut, isDiskFull, nameOfPack, removeSteps } from "./remove.ts";
import type { PruneRun } from "./run.ts";

/** How often it is looked whether those have ended who are waited for. */
const LOOK_MS = 2000;
/** Packs of a round whose two lists fit into what a store keeps for a full disk. */
const RESERVED_MAX = 1500;

/** A step of which this run knows more than is written. */
interface OwnRound extends Omit<Condemned, "seen"> {
  /** The number of its first step. */
  readonly number: number;
  /** Good for one try, which adds to it: what one that fails has marked is lost with it. */
  seen?: IdSet | undefined;
}

/** The steps of a round, whoever has begun it. */
export class RoundSteps {
  readonly #run: PruneRun;
  readonly #saveId: Uint8Array;
  #own: OwnRound | undefined;

  constructor(run: PruneRun) {
    this.#run = run;
    this.#saveId = run.random(16);
  }

  /** Begins a round after the last step there is. */
  async begin(last: number, condemned: Condemned): Promise<void> {
    const { source: { store }, storeOptions } = this.#run;
    const packs = condemned.packs.map(({ name }) => idIn(name));
    let isOurs = false, { isCut } = condemned;
    const isFull = await isDiskFull(async () => {
      isOurs = await this.#append(last, { step: "condemned", packs });
    });
    if (isFull) {
      await store.freeReserve?.(storeOptions);
      isCut ||= packs.length > RESERVED_MAX;
      const some = packs.slice(0, RESERVED_MAX);
      isOurs = await this.#append(last, { step: "condemned", packs: some });
    }
    if (isOurs) this.#own = { ...condemned, isCut, number: last + 1 };
  }

  /**
   * Takes the step that comes next.
   *
   * @returns `waits` if others have to end first, `ended` if this was the last step
   * of a round that this run began, and nothing is left for another; else `goes on`.
   */
  async next(round: Round): Promise<"waits" | "ended" | "goes on"> {
    const { source: { store }, storeOptions } = this.#run;
    if (this.#own?.number !== round.steps[0].number) this.#own = undefined;
    const last = round.steps.at(-1)!;
    if (last.step === "condemned") {
      const { holders } = await sortLeases(store, storeOptions);
      await this.#append(round.number, { step: "holders", leases: holders });
    } else if (last.step === "holders") {
      if (!await this.#settle(round, last)) return "waits";
    } else if (last.step === "suspects") await this.#decide(round, last.saves);
    else if (last.step === "final") return await this.#carryOut(round, last);
    return "goes on";
  }

  /** Waits for those who may rely on what is condemned; false if they go on for too long. */
  async #settle(
    round: Round,
    step: WrittenStep & { readonly step: "holders" },
  ): Promise<boolean> {
    const run = this.#run;
    const { waitMs = 0, sleep = wait, signal, onWait } = run.options;
    const endMs = run.now() + waitMs;
    let isTold = false;
    for (;;) {
      const states = await lookAtHolders(run.source.store, step, {
        ...run.storeOptions,
        now: run.now,
        isAlone: run.options.singleWriter === true,
      });
      const { waiting, suspects, renewed } = states;
      const next: RoundStep | undefined = waiting.length === 0
        ? { step: "suspects", saves: suspects }
        : renewed && { step: "holders", leases: renewed };
      if (next !== undefined) {
        await this.#append(round.number, next);
        return true;
      }
      await run.tellWaiting(waiting);
      const leftMs = endMs - run.now();
      if (leftMs <= 0) {
        await this.#tellCondemned(round);
        return false;
      }
      if (!isTold) onWait?.(run.report.waitingFor);
      isTold = true;
      run.progress({ phase: "wait" });
      await sleep(Math.min(LOOK_MS, leftMs), signal);
    }
  }

  /** Decides once for all what goes. */
  async #decide(round: Round, suspects: readonly string[]): Promise<void> {
    const { source: { store }, storeOptions } = this.#run;
    const { condemned } = round;
    // After the suspects are known: who names another save id now finds itself among them.
    const saves = new Set<string>();
    for (const suspect of suspects) {
      const ids = await readSaveIds(store, suspect, storeOptions);
      for (const id of ids) saves.add(id);
    }
    // Before the records are marked: what comes in between is void, and marked all the same.
    const finished = await finishedSaves(store, storeOptions);
    const bad = await listBadPacks(store, storeOptions);
    const seen = this.#own?.seen;
    if (this.#own !== undefined) this.#own.seen = undefined;
    const marked = await this.#run.mark({ condemned, bad, seen });
    await marked[Symbol.asyncDispose]();
    const { uses } = marked.marks;
    const { ended, pruners } = await sortLeases(store, storeOptions);
    await this.#append(round.number, {
      step: "final",
      packs: [...condemned].filter((id) => !uses.has(nameOfPack(id))),
      void: [...saves].filter((save) => !finished.has(save)),
      ended: [...ended, ...pruners].slice(0, CONDEMNED_MAX),
    });
  }

  async #carryOut(
    round: Round,
    final: WrittenStep & { readonly step: "final" },
  ): Promise<"ended" | "goes on"> {
    const run = this.#run, own = this.#own;
    const { report, source: { store, hasher } } = run;
    const tables = own?.tables ?? [];
    let doneCount = 0;
    await carryOut(round.steps, final, {
      ...run.storeOptions,
      store,
      hasher,
      saveId: this.#saveId,
      now: run.now,
      dropsLost: own !== undefined && run.isStrict,
      tables,
      onRemoved: (pack) => {
        run.tellRemoved([pack]);
        doneCount++;
        const totalCount = final.packs.length;
        run.progress({ phase: "remove", doneCount, totalCount });
      },
    });
    report.voidCount += final.void.length;
    report.waitingFor = [];
    if (!await this.#append(round.number, { step: "done" })) return "goes on";
    await removeSteps(store, round.number + 1, run.storeOptions);
    return own === undefined || own.isCut ? "goes on" : "ended";
  }

  /** Appends a step; false if another run was faster, and nothing that is known here counts. */
  async #append(last: number, step: RoundStep): Promise<boolean> {
    const { source: { store }, storeOptions, now } = this.#run;
    const outcome = await appendStep(store, last + 1, step, {
      ...storeOptions,
      saveId: this.#saveId,
      now,
    });
    if (outcome !== "appended") this.#own = undefined;
    return outcome === "appended";
  }

  async #tellCondemned({ condemned }: Round): Promise<void> {
    const { report, source: { store }, storeOptions } = this.#run;
    const packs = await listPacks(store, storeOptions);
    for (const { name, size } of packs.packs()) {
      if (!condemned.has(idIn(name))) continue;
      report.condemnedPackCount++;
      report.condemnedByteCount += size;
    }
  }
}

async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal });
}
