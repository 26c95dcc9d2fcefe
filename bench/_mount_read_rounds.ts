import { Failures } from "./_failures.ts";
import { measure, median } from "./_measure.ts";
import { Mounted, type MountPlace, placeEnvironment } from "./_mounted.ts";
import { type ReaderResult, readMounted } from "./_mount_reads.ts";
import { isPeer, type MountSystem } from "./_mount_systems.ts";
import { LARGE_NAME, type ReadTreeSize } from "./_mount_tree.ts";
import { megabytes, renderLines } from "./_table.ts";

const SEED = 40_961;

/** How much is read. */
export interface ReadRoundOptions {
  /** The tree, and how large it is. */
  readonly tree: string;
  /** Its size. */
  readonly size: ReadTreeSize;
  /** Where images, mount points and caches lie. */
  readonly folder: string;
  /** Variables for commands. */
  readonly env: Readonly<Record<string, string>>;
  /** Random reads. */
  readonly randomCount: number;
  /** When they end at the latest. */
  readonly secondsMax: number;
}

/** What one system did in one round. */
interface ReadRun extends ReaderResult {
  readonly round: number;
  readonly startMs: number;
  readonly findMs: number;
  readonly findAgainMs: number;
  readonly listAgainMs: number;
  readonly memory: number;
}

/** A column: its head, the figure of a run, and how it is written. */
interface Column {
  readonly head: string;
  readonly value: (run: ReadRun) => number;
  readonly text: (value: number) => string;
}

const rate = (value: number): string => (value / 1e6).toFixed(0);
const count = (value: number): string =>
  value >= 1000 ? `${(value / 1000).toFixed(1)}k` : value.toFixed(0);
const milliseconds = (value: number): string => `${value.toFixed(0)} ms`;

const RATES: readonly Column[] = [
  { head: "sequential, MB/s", value: (run) => run.large, text: rate },
  { head: "small files/s", value: (run) => run.small, text: count },
  { head: "random reads/s", value: (run) => run.random, text: count },
];

const COLUMNS: readonly Column[] = [
  { head: "first read, MB/s", value: (run) => run.firstLarge, text: rate },
  ...RATES.slice(0, 1),
  { head: "second read", value: (run) => run.secondLarge, text: rate },
  ...RATES.slice(1),
  { head: "find", value: (run) => run.findMs, text: milliseconds },
  { head: "again", value: (run) => run.findAgainMs, text: milliseconds },
  { head: "ls -lR", value: (run) => run.listAgainMs, text: milliseconds },
  { head: "memory, MB", value: (run) => run.memory, text: megabytes },
];

/** What it costs both sides. */
const COSTS: readonly Column[] = [
  {
    head: "sequential, ms a MB",
    value: (run) => run.largeCpu * 1e9,
    text: (value) => value.toFixed(2),
  },
  {
    head: "small, us a file",
    value: (run) => run.smallCpu * 1e6,
    text: (value) => value.toFixed(0),
  },
  {
    head: "random, us a read",
    value: (run) => run.randomCpu * 1e6,
    text: (value) => value.toFixed(0),
  },
];

/** Reads of one tree through every system, in rounds. */
export class ReadRounds {
  #systems: readonly MountSystem[];
  readonly #options: ReadRoundOptions;
  readonly #runs = new Map<MountSystem, ReadRun[]>();
  readonly #failures = new Failures();
  readonly #imageBytes = new Map<string, number>();

  /** Prepares nothing yet; {@linkcode ReadRounds.prepare} does. */
  constructor(systems: readonly MountSystem[], options: ReadRoundOptions) {
    this.#systems = systems;
    this.#options = options;
    for (const system of systems) this.#runs.set(system, []);
  }

  /** Makes what the systems mount. */
  async prepare(): Promise<void> {
    for (const system of this.#systems) {
      if (this.#imageBytes.has(system.image)) continue;
      await this.#attempt(system, () => this.#makeImage(system));
    }
  }

  async #makeImage(system: MountSystem): Promise<void> {
    const env = placeEnvironment(this.#place(system));
    const { folder } = this.#options;
    console.error(`making ${system.image}`);
    await measure(system.prepare, { cwd: folder, env });
    const { output } = await measure(
      `du -sb --apparent-size "$IMAGE" 2>/dev/null || echo 0`,
      { cwd: folder, env },
    );
    this.#imageBytes.set(system.image, parseInt(output));
  }

  /** Reads through every system once, beginning with another one each time. */
  async run(round: number): Promise<void> {
    const systems = this.#systems;
    const turn = round % systems.length;
    for (
      const system of [...systems.slice(turn), ...systems.slice(0, turn)]
    ) {
      console.error(`reads: round ${round}, ${system.name}`);
      await this.#attempt(system, async () => {
        this.#runs.get(system)!.push(await this.#read(system, round));
      });
    }
    const original = systems.find(({ kind }) => kind === "original")!;
    const expected = this.#runs.get(original)!.at(-1)!.checksum;
    for (const system of this.#systems) {
      await this.#attempt(system, () => this.#compare(system, expected));
    }
  }

  /** Does something that a peer may fail to do: it is out of this and of all rounds then. */
  async #attempt(
    system: MountSystem,
    run: () => Promise<void> | void,
  ): Promise<void> {
    const { name } = system;
    await this.#failures.attempt({ name, isPeer: isPeer(system) }, run);
    if (!this.#failures.has(name)) return;
    this.#systems = this.#systems.filter((one) => one !== system);
  }

  /** Renders the figures, and what ours are in parts of the others'. */
  render(): string {
    const rows = this.#systems.map((system) => [
      system.name,
      system.kind === "original"
        ? ""
        : megabytes(this.#imageBytes.get(system.image)!),
      ...this.#cells(system, COLUMNS),
    ]);
    const head = ["", "image, MB", ...COLUMNS.map(({ head }) => head)];
    const costs = [
      ["CPU of both sides", ...COSTS.map(({ head }) => head)],
      ...this.#systems.map((system) => [
        system.name,
        ...this.#cells(system, COSTS),
      ]),
    ];
    return `### Reading\n\n${renderLines([head, ...rows])}\n${
      renderLines(costs)
    }${this.#failures.render()}${this.#ratios()}`;
  }

  #cells(system: MountSystem, columns: readonly Column[]): string[] {
    return columns.map(({ value, text }) =>
      text(median(this.#runs.get(system)!.map(value)))
    );
  }

  /** Our rates in parts of each other's with the same codec: medians of ratios in a round. */
  #ratios(): string {
    const lines = [["snap / it", "codec", ...RATES.map(({ head }) => head)]];
    for (const own of this.#systems) {
      if (own.kind !== "ours" && own.kind !== "floor") continue;
      for (const peer of this.#systems) {
        const isSame = peer.kind === "image" && peer.codec === own.codec;
        const isBackup = peer.kind === "backup" && own.kind === "ours" &&
          peer.codec === own.codec;
        if (!isSame && !isBackup) continue;
        lines.push([
          `${own.name} / ${peer.name}`,
          own.codec,
          ...RATES.map(({ value }) => this.#ratio(own, peer, value).toFixed(2)),
        ]);
      }
    }
    return lines.length === 1
      ? ""
      : `\n### Reading, ratios\n\n${renderLines(lines)}`;
  }

  #ratio(
    own: MountSystem,
    peer: MountSystem,
    value: Column["value"],
  ): number {
    const theirs = this.#runs.get(peer)!;
    return median(
      this.#runs.get(own)!.map((run) =>
        value(run) / value(theirs.find(({ round }) => round === run.round)!)
      ),
    );
  }

  async #read(system: MountSystem, round: number): Promise<ReadRun> {
    const { folder, tree, randomCount, secondsMax } = this.#options;
    const place = this.#place(system);
    await using mounted = await Mounted.start(system, place);
    const { root, startMs } = mounted;
    const time = async (command: string): Promise<number> =>
      (await measure(command, { cwd: folder, env: { ROOT: root } }))
        .wallSeconds * 1000;
    const find = `find "$ROOT/" -size +1G`;
    const findMs = await time(find);
    const findAgainMs = await time(find);
    await time(`ls -lR "$ROOT/" >/dev/null`);
    const listAgainMs = await time(`ls -lR "$ROOT/" >/dev/null`);
    const result = await readMounted({
      root,
      original: tree,
      server: mounted.server,
      seed: SEED,
      round,
      randomCount,
      secondsMax,
    });
    const times = { startMs, findMs, findAgainMs, listAgainMs };
    return { ...result, ...times, round, memory: mounted.memory() };
  }

  /** Refuses figures of anything but what is in the tree. */
  #compare(system: MountSystem, expected: string): void {
    const { checksum, isRandomEqual } = this.#runs.get(system)!.at(-1)!;
    if (checksum === expected && isRandomEqual) return;
    throw new Error(
      `Cannot measure ${system.name} as it has to give what is in ${LARGE_NAME} and the small files: found ${checksum} instead of ${expected}, random reads ${
        isRandomEqual ? "equal" : "different"
      }`,
    );
  }

  #place(system: MountSystem): MountPlace {
    const { folder, tree, env } = this.#options;
    return {
      tree,
      image: `${folder}/${system.image}`,
      point: `${folder}/mounts/${system.image}`,
      folder,
      env,
    };
  }
}
