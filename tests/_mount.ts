// What tests of mounts share: a folder with a source, a store and a mount point,
// the real program that mounts, and real programs that read.
import { deepStrictEqual, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { save, type SaveOptions } from "@snap/save";
import type { NamedRecord } from "@snap/snapshot/records";
import { DEFAULT_SETTINGS, type StoreSettings } from "@snap/store/format";
import { openFileStore } from "@snap/store/file";
import { readPackages, ROOT } from "../_tools/workspace.ts";
import { makeFileStore, open, TemporaryFolder } from "./_snapshots.ts";

const MAIN = `${ROOT}cli/main.ts`;
const CACHE = Deno.env.get("DENO_DIR") ??
  `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;

/** How long anything may take that has no event to wait for, in milliseconds. */
const WAIT_MS_MAX = 20_000;
const LOOK_MS = 5;

/** Why nothing can be mounted here, in words. */
export const absentReason: string | undefined = findAbsentReason();

function findAbsentReason(): string | undefined {
  if (Deno.build.os !== "linux") return "mounts are for Linux";
  if (Deno.uid() !== 0) return "these mounts are made by root";
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
  } catch (error) {
    return `/dev/fuse cannot be opened: ${(error as Error).message}`;
  }
}

/**
 * A test that mounts. Where that cannot be it is left out and says why; in the
 * continuous integration it fails instead.
 */
export function mountTest(
  name: string,
  run: (t: Deno.TestContext) => Promise<void>,
): void {
  const isSkipped = absentReason !== undefined &&
    Deno.env.get("CI") === undefined;
  Deno.test({
    name: isSkipped ? `${name} (left out as ${absentReason})` : name,
    ignore: isSkipped,
    fn: run,
  });
}

/** Waits for what tells nobody when it happens, such as the end of a foreign process. */
export async function waitFor(
  what: string,
  isDone: () => boolean,
): Promise<void> {
  for (let ms = 0; !isDone(); ms += LOOK_MS) {
    ok(ms < WAIT_MS_MAX, `${what} takes too long`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Whether some process has a variable in its environment. */
function isInSomeEnv(variable: string): boolean {
  return readdirSync("/proc").some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(variable);
    } catch {
      return false; // It has ended, is another's, or is no process.
    }
  });
}

/** What a program said and how it ended. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with a source, a store and a mount point. */
export class MountScene implements AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly source: string;
  readonly store: string;
  readonly point: string;
  readonly #servers: Server[] = [];

  constructor(below?: string) {
    this.folder = new TemporaryFolder(below);
    this.source = this.folder.join("source");
    this.store = this.folder.join("store");
    this.point = this.folder.join("mount");
    Deno.mkdirSync(this.source);
    Deno.mkdirSync(this.point);
  }

  /** The environment of all programs. */
  get env(): Record<string, string> {
    return {
      PATH: Deno.env.get("PATH")!,
      HOME: this.folder.path,
      DENO_DIR: CACHE,
      DENO: Deno.execPath(),
      LC_ALL: "C.UTF-8",
      GIT_CONFIG_GLOBAL: "/dev/null",
      FOLDER: this.folder.path,
      SOURCE: this.source,
      STORE: this.store,
      MOUNT: this.point,
    };
  }

  /** Makes the store with settings of its own. */
  async init(settings: StoreSettings = DEFAULT_SETTINGS): Promise<void> {
    await makeFileStore(this.store, settings);
  }

  /** Saves the source; makes the store if need be. */
  async save(options: SaveOptions = {}): Promise<NamedRecord> {
    if (!exists(this.store)) await this.init();
    await using snapshots = await open(await openFileStore(this.store));
    const { record, errors } = await save(snapshots, this.source, options);
    deepStrictEqual(errors, []);
    return record!;
  }

  /** Mounts a snapshot by the program, in the foreground. */
  async mount(id: string, ...options: string[]): Promise<Server> {
    const server = new Server(this, ["mount", "--foreground", ...options, id]);
    this.#servers.push(server);
    await server.waitUntilMounted();
    return server;
  }

  /** Runs the program to its end. */
  async snap(...args: string[]): Promise<Said> {
    return decode(
      await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", MAIN, ...args],
        cwd: this.folder.path,
        clearEnv: true,
        env: this.env,
        stdin: "null",
      }).output(),
    );
  }

  /** Runs lines of bash; tells what they said. */
  async run(script: string): Promise<Said> {
    return decode(await this.command(script).output());
  }

  /** Runs lines of bash that have to end well, each of them; tells what they said. */
  async bash(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script);
    ok(code === 0, `${script}\nfails with ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /**
   * Makes copies of the program and of what Deno has fetched for it, for users who may not look into
   * the clone, nor into the cache. `ROOT` and `DENO_DIR` are set to them in lines of bash that
   * begin with what is returned.
   */
  async shareProgram(): Promise<string> {
    const members = readPackages().map(({ folder }) => folder);
    const [root, cache] = ["program", "cache"].map((name) =>
      this.folder.join(name)
    );
    await this.bash(`umask 022
      mkdir -p "${root}" "${cache}"; chmod 755 "$FOLDER"; chmod 777 "${cache}"
      cd "${ROOT}"
      cp -r --no-preserve=mode deno.json deno.lock ${
      members.join(" ")
    } "${root}"
      cp -r --no-preserve=mode "$DENO_DIR/npm" "${cache}"`);
    return `export ROOT="${root}" DENO_DIR="${cache}"`;
  }

  /** Lines of bash that are not started yet. */
  command(script: string): Deno.Command {
    return new Deno.Command("bash", {
      args: ["-euo", "pipefail", "-c", script],
      cwd: this.folder.path,
      clearEnv: true,
      env: this.env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Ends what is mounted, whatever state it is in. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server.end();
    await this.run(`while umount -l "$MOUNT" 2>/dev/null; do :; done`);
    // A server in the background outlives its mount a little, and writes into the folder until it ends.
    const mark = `FOLDER=${this.folder.path}\0`;
    await waitFor("the end of what was started", () => !isInSomeEnv(mark));
    this.folder[Symbol.dispose]();
  }
}

/** The program that serves a mount. */
export class Server {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: ReadableStreamDefaultReader<Uint8Array>;
  readonly #stderr: Promise<string>;
  #hasEnded = false;

  constructor(scene: MountScene, [command, ...args]: string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", MAIN, command, "--store", scene.store],
        ...[...args, scene.point],
      ],
      cwd: scene.folder.path,
      clearEnv: true,
      env: scene.env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = this.#child.stdout.getReader();
    this.#stderr = new Response(this.#child.stderr).text();
    this.#child.status.then(() => this.#hasEnded = true);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until it says that the mount answers. */
  async waitUntilMounted(): Promise<void> {
    if (!(await this.#stdout.read()).done) return;
    throw new Error(`Cannot mount: ${(await this.finished()).stderr}`);
  }

  signal(name: Deno.Signal): void {
    if (!this.#hasEnded) this.#child.kill(name);
  }

  /** Waits for its end; tells how it ended, and what went wrong. */
  async finished(): Promise<Ended> {
    while (!(await this.#stdout.read()).done);
    const { code, signal } = await this.#child.status;
    return { code, signal, stderr: await this.#stderr };
  }

  /** Ends it as a user would, and otherwise by force. */
  async end(): Promise<Ended> {
    this.signal("SIGINT");
    const timer = setTimeout(() => this.signal("SIGKILL"), WAIT_MS_MAX);
    try {
      return await this.finished();
    } finally {
      clearTimeout(timer);
    }
  }
}

/** How a server ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  /** What it logged. */
  readonly stderr: string;
}

/** Whether something is mounted at a path. */
export function isMounted(path: string): boolean {
  return Deno.readTextFileSync("/proc/self/mountinfo").split("\n")
    .some((line) => line.split(" ")[4] === path);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function decode(output: Deno.CommandOutput): Said {
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}
