// Rounds of savers, a copier, pruners and readers at once, some of which are killed
// or stopped. Many rounds: deno run -A tests/_prune_rounds.ts ROUNDS SEED
import { equal, ok } from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../_tools/workspace.ts";
import { Prng } from "./_prng.ts";
import type { PrunePlan } from "./_prune_actor.ts";
import { TemporaryFolder } from "./_snapshots.ts";

const PRUNER = join(ROOT, "tests/_prune_actor.ts");
const PROGRAM = join(ROOT, "cli/main.ts");
/** So far is the clock of a pruner ahead of that of the one before. */
const STEP_MS = 31 * 60_000;
/** Snapshots that stay when others are forgotten. */
const KEPT = 4;

/** A program that runs. */
class Actor {
  readonly name: string;
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<Deno.CommandOutput>;
  isKilled = false;

  /** Whether it may come to nothing without anything being wrong. */
  get mayFail(): boolean {
    return /^(saver|copier|forgetter)/.test(this.name);
  }

  constructor(name: string, args: readonly string[], home: string) {
    this.name = name;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", ...args],
      env: { XDG_CACHE_HOME: join(home, "cache"), XDG_CONFIG_HOME: home },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#output = this.#child.output();
  }

  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  kill(): void {
    this.isKilled = true;
    this.signal("SIGKILL");
  }

  async end(): Promise<{ success: boolean; out: string; said: string }> {
    const { success, stdout, stderr } = await this.#output;
    const decoder = new TextDecoder();
    const out = decoder.decode(stdout).trim();
    return { success, out, said: out + decoder.decode(stderr) };
  }
}

/** What has come of some rounds. */
export interface RoundCounts {
  saved: number;
  killed: number;
  overtaken: number;
  removedPacks: number;
  forgotten: number;
}

/** A store, its neighbour, and what was acknowledged. */
export class PruneRounds implements Disposable {
  readonly counts: RoundCounts = {
    saved: 0,
    killed: 0,
    overtaken: 0,
    removedPacks: 0,
    forgotten: 0,
  };
  readonly #folder = new TemporaryFolder();
  readonly #prng: Prng;
  /** Snapshots that somebody was told of, the oldest first. */
  #acknowledged: string[] = [];
  #aheadMs = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Makes the stores. */
  async begin(): Promise<void> {
    for (const store of ["st", "other"]) {
      await this.#well("init", this.#at(store));
      mkdirSync(this.#at(`${store}-src`));
    }
    this.#change(this.#at("st-src"));
    const args = ["--store", this.#at("st"), "save", this.#at("st-src")];
    this.#acknowledged.push(await this.#well(...args));
  }

  /** Runs all at once, then sees that what was acknowledged is there, and all that is there is whole. */
  async round(): Promise<void> {
    const prng = this.#prng;
    for (const store of ["st", "other"]) this.#change(this.#at(`${store}-src`));
    await this.#well(
      "--store",
      this.#at("other"),
      "save",
      this.#at("other-src"),
    );
    const forgotten = this.#acknowledged.slice(0, -KEPT).slice(0, 2);
    const readable = this.#acknowledged.filter((id) => !forgotten.includes(id));
    const target = this.#at("target");
    const savers = [1, 2].map((number) =>
      this.#snap(
        `saver ${number}`,
        "save",
        this.#at("st-src"),
        "--host",
        `h${number}`,
      )
    );
    const copier = this.#snap("copier", "pull", this.#at("other"));
    const names = await this.#recordsOf(forgotten);
    const forgetter = names.length > 0
      ? [this.#snap("forgetter", "forget", "--any", ...names)]
      : [];
    const chosen = readable.slice(prng.u32() % (readable.length + 1)).slice(
      0,
      1,
    );
    const read = await this.#recordsOf(chosen);
    // Of several records one may be that of a save that was killed, and may go.
    const reader = read.length === 1
      ? [this.#snap("reader", "restore", read[0], target)]
      : [];
    const pruners = Array.from(
      { length: 1 + prng.u32() % 2 },
      () => this.#pruner(),
    );
    const actors = [...savers, copier, ...pruners];
    const victim = actors[prng.u32() % actors.length];
    const disturbing = this.#disturb(victim);
    const ends = [...actors, ...forgetter, ...reader].map(async (actor) => {
      const end = await actor.end();
      await this.#judge(actor, end);
    });
    const outcomes = await Promise.allSettled([disturbing, ...ends]);
    for (const one of outcomes) if (one.status === "rejected") throw one.reason;
    rmSync(target, { recursive: true, force: true });
    this.#acknowledged = this.#acknowledged.filter((id) =>
      !forgotten.includes(id)
    );
    this.counts.forgotten += forgotten.length;
    await this.check();
  }

  /** Sees that all is there and whole, and restores the newest. */
  async check(): Promise<void> {
    await this.#well("--store", this.#at("st"), "verify", "--data");
    const listed = await this.#well("--store", this.#at("st"), "log", "--any");
    for (const id of this.#acknowledged) {
      ok(listed.includes(id), `${id} is lost`);
    }
  }

  /** Restores every snapshot there is, and compares it with its id. */
  async checkAll(): Promise<void> {
    const listed = await this.#well("--store", this.#at("st"), "log", "--any");
    const ids = new Set(listed.split("\n").map((line) => line.split("\t")[0]));
    for (const id of ids) {
      const target = this.#at("target");
      await this.#well("--store", this.#at("st"), "restore", id, target);
      equal(await this.#well("id", target), id);
      rmSync(target, { recursive: true });
    }
  }

  /** Names all records of some snapshots. */
  async #recordsOf(ids: readonly string[]): Promise<string[]> {
    const listed = await this.#well("--store", this.#at("st"), "log", "--any");
    return listed.split("\n").map((line) => line.split("\t"))
      .filter(([id]) => ids.includes(id))
      .map(([id, record]) => `${id.slice(0, 12)}@${record.slice(0, 12)}`);
  }

  /** Prunes until nobody is waited for, and nothing is left to remove. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      const { success, out, said } = await this.#pruner().end();
      ok(success, said);
      if (i === 2) equal(JSON.parse(out).removedPackCount, 0);
    }
    await this.check();
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #at(name: string): string {
    return this.#folder.join(name);
  }

  /** Kills somebody, or stops them while a round passes. */
  async #disturb(victim: Actor): Promise<void> {
    // The moment is what is tested: there is no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, this.#prng.u32() % 700));
    if (this.#prng.u32() % 3 > 0) {
      victim.kill();
      return;
    }
    victim.signal("SIGSTOP");
    try {
      for (let i = 0; i < 2; i++) await this.#judge(...await this.#prune());
    } finally {
      victim.signal("SIGCONT");
    }
  }

  async #prune(): Promise<[Actor, Awaited<ReturnType<Actor["end"]>>]> {
    const actor = this.#pruner();
    return [actor, await actor.end()];
  }

  /** What an actor says has to be true. */
  // deno-lint-ignore require-await
  async #judge(
    actor: Actor,
    { success, out, said }: Awaited<ReturnType<Actor["end"]>>,
  ): Promise<void> {
    if (actor.isKilled && !success) {
      this.counts.killed++;
      return;
    }
    // Who writes may be overtaken, as the clock of a pruner tells that it has slept.
    if (!success && actor.mayFail) {
      this.counts.overtaken++;
      return;
    }
    ok(success, `${actor.name}: ${said}`);
    if (actor.name.startsWith("saver")) {
      this.counts.saved++;
      const [id] = out.split("\n");
      this.#acknowledged = this.#acknowledged.filter((one) => one !== id);
      this.#acknowledged.push(id);
    }
    if (actor.name === "pruner") {
      this.counts.removedPacks += JSON.parse(out).removedPackCount;
    }
  }

  #snap(name: string, ...args: string[]): Actor {
    const store = this.#at("st");
    return new Actor(
      name,
      [PROGRAM, "--store", store, ...args],
      this.#at("home"),
    );
  }

  #pruner(): Actor {
    this.#aheadMs += STEP_MS;
    const plan: PrunePlan = {
      store: this.#at("st"),
      aheadMs: this.#aheadMs,
      recompress: this.#prng.u32() % 4 === 0 ? "zstd:9" : undefined,
    };
    return new Actor(
      "pruner",
      [PRUNER, JSON.stringify(plan)],
      this.#at("home"),
    );
  }

  async #well(...args: string[]): Promise<string> {
    const actor = new Actor(
      args.join(" "),
      [PROGRAM, ...args],
      this.#at("home"),
    );
    const { success, out, said } = await actor.end();
    ok(success, `${args.join(" ")}: ${said}`);
    return out;
  }

  /** Changes some files of a tree, which share much with what was there before. */
  #change(folder: string): void {
    const prng = this.#prng;
    for (let i = 0; i < 6; i++) {
      const below = join(folder, `d${prng.u32() % 4}`);
      mkdirSync(below, { recursive: true });
      const name = join(below, `f${prng.u32() % 8}`);
      rmSync(name, { force: true });
      const size = prng.u32() % (i === 0 ? 300_000 : 20_000);
      // Of few seeds, so that content goes and comes back.
      writeFileSync(name, new Prng(prng.u32() % 24).bytes(size));
    }
  }
}

if (import.meta.main) {
  const [rounds = "200", seed = "1"] = Deno.args;
  using scene = new PruneRounds(new Prng(Number(seed)));
  await scene.begin();
  for (let round = 1; round <= Number(rounds); round++) {
    await scene.round();
    if (round % 10 === 0) await scene.checkAll();
    console.log(round, JSON.stringify(scene.counts));
  }
  await scene.checkAll();
  await scene.settle();
  console.log("all is whole");
}
