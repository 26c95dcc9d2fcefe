/**
 * Copying snapshots from store to store by the command line, beside what others
 * copy: from folder to folder, through a server on this machine, and into a
 * bucket (Ceph, started here) beside the same files put there as they are. Each
 * is copied once more with nothing to do. The first copies of each are restored,
 * and compared with the tree.
 *
 * `deno task bench:sync [TREE] [--runs 3] [--peers restic,backpak,rclone,s3] [--write]`,
 * where TREE is a folder or the name of a made tree; `--small` only shows that it
 * runs, without a bucket.
 *
 * @module
 */
import { benchArguments } from "./_arguments.ts";
import {
  BUCKET_COPIERS,
  type Copier,
  FOLDER_COPIERS,
  MAKE_STORE,
  SERVER_COPIERS,
} from "./_copiers.ts";
import { describeRun, writeSection } from "./_document.ts";
import { farPrograms } from "./_far_programs.ts";
import {
  type BenchTree,
  hasRoom,
  prepareTree,
  removeTree,
  withFolder,
} from "./_folder.ts";
import { versionOf } from "./_machine.ts";
import { measure, type Measurement } from "./_measure.ts";
import { environmentOf } from "./_programs.ts";
import { Server } from "./_server.ts";
import { megabytes, renderTable, type Row, type Run } from "./_table.ts";
import { lacksServer } from "../tests/_s3_server.ts";

/** Copiers that are compared with each other. */
interface Group {
  readonly title: string;
  readonly copiers: readonly Copier[];
}

/** What is copied where, and what came of it. */
class Copies {
  readonly #tree: BenchTree;
  readonly #folder: string;
  readonly #env: Record<string, string>;
  readonly #made = new Map<string, string>();
  readonly #rows = new Map<string, Map<string, Row>>();

  constructor(
    tree: BenchTree,
    folder: string,
    env: Readonly<Record<string, string>>,
  ) {
    this.#tree = tree;
    this.#folder = folder;
    this.#env = {
      ...environmentOf(folder),
      ...env,
      TREE: tree.path,
      TO: `${folder}/to`,
    };
  }

  /** Copies by each, beginning with another one each time. */
  async run({ title, copiers }: Group, round: number): Promise<void> {
    const turn = round % copiers.length;
    const order = [...copiers.slice(turn), ...copiers.slice(0, turn)];
    for (const copier of order) {
      if (!hasRoom(2 * this.#tree.byteCount)) {
        throw new RangeError(`Cannot copy by ${copier.name}: memory is short`);
      }
      console.error(`${title}: round ${round + 1}, ${copier.name}`);
      try {
        await this.#copy(title, copier, round);
      } finally {
        for (const name of ["to", "target"]) {
          await removeTree(`${this.#folder}/${name}`);
        }
      }
    }
  }

  /** Renders a table for each thing that was measured. */
  render(): string {
    let text = "";
    for (const [title, rows] of this.#rows) {
      const [first] = rows.keys();
      text += `\n### ${title}\n\n${renderTable([...rows.values()], first)}`;
    }
    return text;
  }

  async #copy(title: string, copier: Copier, round: number): Promise<void> {
    await this.#makeStore(copier.kind);
    this.#env["PREFIX"] = `${round}-${title.length}-${copier.name.length}`;
    if (copier.init) await this.#shell(copier.init);
    const served = copier.server === "to" ? this.#env["TO"] : this.#env["FROM"];
    await using server = copier.server && await Server.start(served);
    if (server) this.#env["URL"] = server.url;
    const steps = [title, `${title}, nothing to do`];
    for (const [i, step] of steps.entries()) {
      server?.reset();
      const before = server?.cost();
      const run = { ...await this.#shell(copier.copy), round };
      checkReport(run, copier, i > 0);
      this.#add(step, copier.name, run);
      if (server === undefined || before === undefined) continue;
      const { cpuSeconds, peakBytes } = server.cost();
      const own = { cpuSeconds: cpuSeconds - before.cpuSeconds, peakBytes };
      this.#add(step, `${copier.name}, the server`, { ...run, ...own });
    }
    if (round > 0) return;
    await this.#shell(copier.restore);
    await this.#shell(`diff -rq --no-dereference "$TREE" "$TARGET"`);
  }

  async #makeStore(kind: Copier["kind"]): Promise<void> {
    this.#env["FROM"] = `${this.#folder}/from-${kind}`;
    let said = this.#made.get(kind);
    if (said === undefined) {
      said = (await this.#shell(MAKE_STORE[kind])).output;
      this.#made.set(kind, said);
    }
    this.#env["ID"] = /\b[0-9a-f]{64}\b/.exec(said)?.[0] ?? "";
  }

  #add(title: string, name: string, run: Run): void {
    let rows = this.#rows.get(title);
    if (rows === undefined) this.#rows.set(title, rows = new Map());
    rows.set(name, { name, runs: [...rows.get(name)?.runs ?? [], run] });
  }

  async #shell(command: string): Promise<Measurement> {
    return await measure(command, { cwd: this.#folder, env: this.#env });
  }
}

/** Sees that all was copied, or that there was nothing to copy: else the figure says nothing. */
function checkReport(
  { output }: Measurement,
  { copy, name, server }: Copier,
  isAgain: boolean,
): void {
  if (!copy.includes("--json")) return;
  const said = JSON.parse(output.trim().split("\n").at(-1)!);
  const wanted = isAgain ? 0 : 1;
  const isRight = said.recordsCopied === wanted && said.errorCount === 0 &&
    (!isAgain || said.requests === (server === undefined ? 0 : 1));
  if (!isRight) throw new Error(`Cannot measure ${name}: it says ${output}`);
}

/** Those that are wanted and installed, with their versions. */
async function installed(
  copiers: readonly Copier[],
  folder: string,
  peers: readonly string[] | undefined,
): Promise<Map<Copier, string>> {
  const found = new Map<Copier, string>();
  const env = environmentOf(folder);
  for (const copier of copiers) {
    const [word] = copier.name.split(" ");
    if (word !== "snap" && peers?.includes(word) === false) continue;
    const version = await versionOf(copier.version, env);
    if (version !== undefined) found.set(copier, `${word} ${version}`);
    else console.error(`${word} is not here: left out`);
  }
  return found;
}

if (import.meta.main) {
  const options = benchArguments(Deno.args, "source");
  const { names, runCount, size, peers, isWritten } = options;
  const hasBucket = size === "full" && (peers?.includes("s3") ?? true) &&
    !lacksServer("ceph");
  const far = hasBucket ? await farPrograms("default") : undefined;
  const groups = [
    { title: "From folder to folder", copiers: FOLDER_COPIERS },
    { title: "Through a server on this machine", copiers: SERVER_COPIERS },
    ...far ? [{ title: "Into a bucket of S3", copiers: BUCKET_COPIERS }] : [],
  ];
  await withFolder(async (folder) => {
    for (const name of names) {
      const tree = await prepareTree(name, folder, size);
      const copies = new Copies(tree, folder, far?.env ?? {});
      const versions = new Set<string>();
      for (const { title, copiers } of groups) {
        const found = await installed(copiers, folder, peers);
        for (const version of found.values()) versions.add(version);
        for (let round = 0; round < runCount; round++) {
          await copies.run({ title, copiers: [...found.keys()] }, round);
        }
      }
      const command = `deno task bench:sync ${
        tree.isMade ? tree.title : "FOLDER"
      } --runs ${runCount}`;
      const section =
        `## Copying from store to store, ${tree.title}\n\n${tree.fileCount} files, ${
          megabytes(tree.byteCount)
        } MB. ${describeRun(command)}. Medians of ${runCount} rounds, ratios are
medians of the ratios within a round. Versions: ${[...versions].join(", ")}.
${copies.render()}`;
      console.log(section);
      if (isWritten) await writeSection(`sync ${tree.title}`, section);
      if (tree.isMade) await removeTree(tree.path);
    }
  });
}
