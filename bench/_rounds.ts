import { Failures } from "./_failures.ts";
import {
  compareTrees,
  MAKE_FACTS,
  parseLost,
  PRINT_LOST,
} from "./_fidelity.ts";
import { hasRoom, removeTree } from "./_folder.ts";
import { measure, type Measurement } from "./_measure.ts";
import type { Program } from "./_program.ts";
import type { Row, Run } from "./_table.ts";
import { changeTree } from "./_trees.ts";

/** How much of a tree changes between two saves. */
const CHANGED_SHARE = 0.01;

/** What is measured of each program, in this order. */
export const STEPS = ["save", "again", "restore", "changed"] as const;

/** One of the things that are measured. */
export type Step = typeof STEPS[number];

/** How the programs are run. */
export interface RoundOptions {
  /** The tree. */
  readonly tree: string;
  /** The sum of its files' sizes. */
  readonly byteCount: number;
  /** A folder for stores, caches and restored trees. */
  readonly folder: string;
  /** How old files become before they are saved: programs that trust times read younger ones again. */
  readonly settleMs: number;
  /** Whether the tree is ours to change. */
  readonly changes: boolean;
  /** Variables of the programs' environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Prints the size of a store in bytes. Default: that of `$STORE`. */
  readonly storeSize?: string;
}

/** The measurements of several programs on one tree, taken in rounds. */
export class Rounds {
  readonly #options: RoundOptions;
  readonly #env: Record<string, string>;
  readonly #programs: readonly Program[];
  readonly #rows = new Map<Step, Map<string, Row>>();
  readonly #failures = new Map<Step, Failures>();
  /** What each program does not keep. */
  readonly #lost = new Map<string, readonly string[]>();
  readonly #about = new Map<string, Record<string, unknown>>();
  #count = 0;

  /** Prepares to run the programs; {@linkcode Rounds.run} does. */
  constructor(programs: readonly Program[], options: RoundOptions) {
    this.#options = options;
    this.#env = { ...options.env, TREE: options.tree };
    this.#programs = programs;
    for (const step of STEPS) {
      this.#rows.set(step, new Map());
      this.#failures.set(step, new Failures());
    }
  }

  /** Runs every program once, beginning with another one each time. */
  async run(onProgram: (name: string) => void): Promise<void> {
    const turn = this.#count++ % this.#programs.length;
    for (
      const program of [
        ...this.#programs.slice(turn),
        ...this.#programs.slice(0, turn),
      ]
    ) {
      onProgram(program.name);
      await this.#runProgram(program);
    }
  }

  /** Returns the rows of a step, in the order of the programs. */
  rows(step: Step): Row[] {
    const rows = this.#rows.get(step)!;
    return this.#programs.flatMap(({ name }) => rows.get(name) ?? []);
  }

  /** Returns lines about those that have no row in a step as they failed. */
  failures(step: Step): string {
    return this.#failures.get(step)!.render();
  }

  /** What programs said of themselves after their first save, by name. */
  get about(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    return this.#about;
  }

  /** Runs all steps of one program in a store of its own. */
  async #runProgram(program: Program): Promise<void> {
    if (this.#failures.get("save")!.has(program.name)) return;
    const number = this.#programs.indexOf(program);
    if (this.#count === 1 && program.restore && !program.compare) {
      this.#env["PREFIX"] = `facts-${number}`;
      await this.#inNewStore(() => this.#findLost(program));
    }
    this.#env["PREFIX"] = `${this.#count}-${number}`;
    await this.#settle();
    await this.#inNewStore(() => this.#runSteps(program));
  }

  async #inNewStore(run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } finally {
      for (const name of ["store", "target", "cache"]) {
        await removeTree(`${this.#options.folder}/${name}`);
      }
    }
  }

  /** Sees what comes back of a small tree that has one of each fact. */
  async #findLost(program: Program): Promise<void> {
    const { name, init = "true", save, restore } = program;
    const tree = `${this.#options.folder}/facts`;
    const shell = (command: string) => this.#shell(command, { TREE: tree });
    const saved = await this.#attempt("save", program, async () => {
      await shell(MAKE_FACTS);
      await shell(init);
      return await shell(save!);
    });
    await this.#attempt("restore", program, async () => {
      if (saved === undefined) return;
      this.#env["ID"] = idIn(saved.output, program);
      await shell(restore!);
      this.#lost.set(name, parseLost((await shell(PRINT_LOST)).output));
    });
    await removeTree(tree);
  }

  /** Does something that a peer may fail to do: it then has no row in this step, nor what comes after it. */
  async #attempt<T>(
    step: Step,
    { name, kind }: Program,
    run: () => Promise<T>,
  ): Promise<T | undefined> {
    const failures = this.#failures.get(step)!;
    const done = await failures.attempt({ name, isPeer: kind !== "ours" }, run);
    if (failures.has(name)) this.#rows.get(step)!.delete(name);
    return done;
  }

  async #runSteps(program: Program): Promise<void> {
    const { name, init, save, again, restore } = program;
    const { compare = compareTrees(this.#lost.get(name) ?? []) } = program;
    const attempt = <T>(step: Step, run: () => Promise<T>) =>
      this.#attempt(step, program, run);
    const saved = await attempt("save", async () => {
      if (init) await this.#shell(init);
      return save ? await this.#step("save", program, save) : "";
    });
    if (saved === undefined) return;
    if (this.#count === 1) await this.#askAbout(program);
    if (again) {
      await attempt("again", () => this.#step("again", program, again));
    }
    if (restore) {
      await attempt("restore", async () => {
        this.#env["ID"] = idIn(saved, program);
        const restored = await this.#step("restore", program, restore);
        if (this.#count > 1 || restored === undefined) return;
        await this.#shell(compare);
      });
    }
    if (save && again && this.#options.changes) {
      await attempt("changed", () => this.#stepChanged(program, again));
    }
  }

  /** Asks what ran: better no figure than one of something else. */
  async #askAbout({ name, about, expected }: Program): Promise<void> {
    if (about === undefined) return;
    const { output } = await this.#shell(about);
    const lines = output.trim().split("\n").map((line) => JSON.parse(line));
    const said: Record<string, unknown> = Object.assign({}, ...lines);
    for (const [key, value] of Object.entries(expected ?? {})) {
      if (said[key] === value) continue;
      throw new Error(
        `Cannot measure ${name} as its ${key} is ${value}: found ${said[key]}`,
      );
    }
    this.#about.set(name, said);
  }

  async #stepChanged(program: Program, command: string): Promise<void> {
    const revert = changeTree(this.#options.tree, CHANGED_SHARE);
    try {
      await this.#settle();
      await this.#step("changed", program, command);
    } finally {
      revert();
    }
  }

  /** Measures one command and returns what it printed, or undefined if there is no room for it. */
  async #step(
    step: Step,
    { name, save }: Program,
    command: string,
  ): Promise<string | undefined> {
    const isWriting = step === "save" || step === "restore";
    const needed = isWriting ? this.#options.byteCount : 0;
    if (save && !hasRoom(needed)) {
      console.error(`${name}: no room for ${step}`);
      return undefined;
    }
    const run: Run = { ...await this.#shell(command), round: this.#count };
    const rows = this.#rows.get(step)!;
    const runs = [...rows.get(name)?.runs ?? [], run];
    const storedBytes = save && step !== "restore"
      ? await this.#storeSize()
      : undefined;
    const lost = step === "restore" ? this.#lost.get(name) : undefined;
    rows.set(name, { name, runs, storedBytes, lost });
    return run.output;
  }

  async #storeSize(): Promise<number> {
    const { storeSize = `du -sb --apparent-size "$STORE"` } = this.#options;
    return parseInt((await this.#shell(storeSize)).output);
  }

  async #shell(
    command: string,
    env?: Readonly<Record<string, string>>,
  ): Promise<Measurement> {
    return await measure(command, {
      cwd: this.#options.folder,
      env: { ...this.#env, ...env },
    });
  }

  async #settle(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#options.settleMs));
  }
}

/** The id in what a program printed; peers that print none are asked for no id. */
function idIn(output: string, { kind }: Program): string {
  const id = /\b[0-9a-f]{64}\b/.exec(output)?.[0];
  if (id === undefined) {
    if (kind !== "ours") return "";
    throw new Error(`Cannot find the id of the snapshot: found ${output}`);
  }
  return id;
}
