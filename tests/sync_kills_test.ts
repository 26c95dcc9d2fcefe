// Pushes and pulls that are killed on either side, over a pipe and over HTTP, and run
// again: what has arrived is not sent a second time, and nothing is broken.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { save } from "@snap/save";
import { verify } from "@snap/snapshot/verify";
import { openFileStore } from "@snap/store/file";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import { ROOT } from "../_tools/workspace.ts";
import type { KillPlan } from "./_kill_relay.ts";
import { Prng, seedOfRun } from "./_prng.ts";
import { denoFolder } from "./_run.ts";
import { LATER, makeTree } from "./_saves.ts";
import {
  makeFileStore,
  noise,
  open,
  readDisk,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "./_snapshots.ts";

const MAIN = ["run", "-A", "--no-check", `${ROOT}cli/main.ts`];
const RELAY = `${ROOT}tests/_kill_relay.ts`;
/** Kills of a run; 50 by hand. */
const KILL_COUNT = Number(Deno.env.get("SNAP_KILLS") ?? 4);
/** More bytes than there are. */
const NEVER = Number.MAX_SAFE_INTEGER;
/** Bytes that may be sent again beside content: directories and messages. */
const AGAIN_MAX = 300_000;
const FILE_COUNT = 40;
const FILE_SIZE = 250_000;
const SETTINGS = { ...DEFAULT_SETTINGS, packSizeTarget: 1 << 20 };

type Carrier = "pipe" | "http";
type Direction = "push" | "pull";

/** What a command came to. */
interface Ran {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stderr: string;
  /** Bytes that crossed, in the direction of the content. */
  readonly byteCount: number;
}

/** A store with a snapshot, an empty one, and a way between them. */
class Scene implements AsyncDisposable {
  readonly folder = new TemporaryFolder();
  readonly source: string;
  readonly direction: Direction;
  readonly #carrier: Carrier;
  #line: HttpLine | undefined;

  private constructor(carrier: Carrier, direction: Direction) {
    this.#carrier = carrier;
    this.direction = direction;
    this.source = this.folder.join("source");
  }

  static async make(
    carrier: Carrier,
    direction: Direction,
  ): Promise<Scene> {
    const scene = new Scene(carrier, direction);
    makeTree(scene.source);
    mkdirSync(`${scene.source}/many`);
    for (let i = 0; i < FILE_COUNT; i++) {
      writeFileSync(`${scene.source}/many/${i}`, noise(FILE_SIZE, i + 1));
    }
    // Large content, proved before it counts.
    writeFileSync(`${scene.source}/large`, noise(4_000_000, 99));
    const store = await makeFileStore(scene.folder.join("full"), SETTINGS);
    await using snapshots = await open(store);
    await save(snapshots, scene.source, LATER);
    await scene.empty();
    return scene;
  }

  /** Makes the target anew. */
  async empty(): Promise<void> {
    await this.#line?.[Symbol.asyncDispose]();
    this.#line = undefined;
    rmSync(this.target, { recursive: true, force: true });
    await makeFileStore(this.target, SETTINGS);
  }

  get target(): string {
    return this.folder.join("target");
  }

  /** Runs the command; it or the server is killed when so many bytes have passed. */
  async run(at: number, how: KillPlan["how"]): Promise<Ran> {
    const full = this.folder.join("full");
    const isPush = this.direction === "push";
    const [here, there] = isPush ? [full, this.target] : [this.target, full];
    const plan: KillPlan = {
      ...{ at, how },
      mark: this.folder.join("mark"),
      log: this.folder.join("log"),
    };
    for (const path of [plan.mark, plan.log]) rmSync(path, { force: true });
    const line = this.#carrier === "http"
      ? this.#line ??= await HttpLine.open(there)
      : undefined;
    const planFile = this.folder.join("plan");
    writeFileSync(planFile, JSON.stringify(plan));
    const url = line?.url ?? `ssh://here${there}`;
    const program = `${Deno.execPath()} ${MAIN.join(" ")}`;
    const args = [...MAIN, this.direction, url, "--store", here];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args, "--workers", "0", "--no-cache", "-q"],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH")!,
        HOME: this.folder.path,
        DENO_DIR: denoFolder(),
        SNAP_SSH: `${Deno.execPath()} run -A --no-check ${RELAY} ${planFile}`,
        SNAP_REMOTE_COMMAND: program,
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    line?.arm(plan, child);
    const { code, signal, stderr } = await child.output();
    const [up, down] = line?.take() ?? await bytesOf(plan.log);
    return {
      ...{ code, signal },
      stderr: new TextDecoder().decode(stderr),
      byteCount: isPush ? up : down,
    };
  }

  /** Whether somebody was killed in the last run. */
  get wasKilled(): boolean {
    return existsSync(this.folder.join("mark"));
  }

  /** Bytes of packs of content in the target. */
  storedSize(): number {
    const root = `${this.target}/packs`;
    if (!existsSync(root)) return 0;
    let size = 0;
    for (const name of readdirSync(root, { recursive: true }) as string[]) {
      const path = `${root}/${name}`;
      if (!statSync(path).isFile()) continue;
      // The role stands 16 bytes before the end: those of directories count for nothing yet.
      const bytes = readFileSync(path);
      if (bytes[bytes.length - 16] === 1) size += bytes.length;
    }
    return size;
  }

  /** Checks what is in the target: nothing, or all of it. */
  async check(isWhole: boolean): Promise<void> {
    await using snapshots = await open(await openFileStore(this.target));
    const records = await snapshots.records();
    if (isWhole) strictEqual(records.length, 1);
    for (const record of records) {
      sameEntries(await readSnapshot(snapshots, record), readDisk(this.source));
    }
    const { damages } = await verify(snapshots, { data: true });
    deepStrictEqual(damages, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line?.[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** Bytes that went up and came down, all relays of a run together, when they have ended. */
async function bytesOf(log: string): Promise<[number, number]> {
  for (;;) {
    const lines = readFileSync(log, "utf8").trim().split("\n");
    const counts = lines.filter((line) => line !== "begun")
      .map((line) => line.split(" ").map(Number));
    if (2 * counts.length < lines.length) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    const sum = (column: number): number =>
      counts.reduce((total, line) => total + line[column], 0);
    return [sum(0), sum(1)];
  }
}

/** A server over HTTP, and what carries bytes to it and kills it; it comes back then. */
class HttpLine implements AsyncDisposable {
  readonly url: string;
  readonly #store: string;
  readonly #relay: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();
  #server: Promise<
    { readonly child: Deno.ChildProcess; readonly port: number }
  >;
  #ending: Promise<unknown> = Promise.resolve();
  #plan: KillPlan | undefined;
  #client: Deno.ChildProcess | undefined;
  #up = 0;
  #down = 0;

  private constructor(store: string, relay: ReturnType<typeof createServer>) {
    this.#store = store;
    this.#relay = relay;
    const { port } = relay.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}/`;
    this.#server = this.#begin();
    relay.on("connection", (socket) => void this.#carry(socket));
  }

  static async open(store: string): Promise<HttpLine> {
    const relay = createServer().listen(0, "127.0.0.1");
    await once(relay, "listening");
    const line = new HttpLine(store, relay);
    await line.#server;
    return line;
  }

  /** From now on somebody is killed when it is time. */
  arm(plan: KillPlan, client: Deno.ChildProcess): void {
    this.#plan = plan;
    this.#client = client;
  }

  /** Bytes that went up and came down since the last call. */
  take(): [number, number] {
    const counts: [number, number] = [this.#up, this.#down];
    this.#up = this.#down = 0;
    this.#plan = undefined;
    return counts;
  }

  async #begin(): Promise<{ child: Deno.ChildProcess; port: number }> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [...MAIN, "serve", this.#store, "--listen", "127.0.0.1:0"],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH")!, DENO_DIR: denoFolder() },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    const port = Number(new URL(new TextDecoder().decode(value).trim()).port);
    this.#ending = Promise.all([reader.cancel(), child.status]);
    return { child, port };
  }

  async #carry(socket: Socket): Promise<void> {
    const { port } = await this.#server;
    const other = connect(port, "127.0.0.1");
    for (const [one, to] of [[socket, other], [other, socket]] as const) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.once("close", () => {
        this.#sockets.delete(one);
        to.destroy();
      });
      one.on("data", (chunk) => {
        if (one === socket) this.#up += chunk.length;
        else this.#down += chunk.length;
        this.#look();
      });
      one.pipe(to);
    }
  }

  #look(): void {
    const plan = this.#plan;
    if (plan === undefined || this.#up + this.#down < plan.at) return;
    this.#plan = undefined;
    writeFileSync(plan.mark, "");
    if (plan.how === "client") return this.#client!.kill("SIGKILL");
    if (plan.how === "interrupt") return this.#client!.kill("SIGINT");
    const over = this.#server, ending = this.#ending;
    // Whoever connects meanwhile waits until it is back.
    this.#server = over.then(async ({ child }) => {
      child.kill("SIGKILL");
      await ending;
      return await this.#begin();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = await this.#server;
    child.kill("SIGTERM");
    for (const socket of this.#sockets) socket.destroy();
    this.#relay.close();
    await this.#ending;
  }
}

const ways = [
  ["pipe", "push"],
  ["http", "pull"],
  ["http", "push"],
  ["pipe", "pull"],
] as const;
const hows = ["client", "server", "interrupt"] as const;

for (const [way, [carrier, direction]] of ways.entries()) {
  Deno.test(`a ${direction} over ${carrier} that is killed on either side goes on when it is run again`, async () => {
    const prng = new Prng(seedOfRun() + way);
    await using scene = await Scene.make(carrier, direction);
    const whole = await scene.run(NEVER, "client");
    strictEqual(whole.code, 0, whole.stderr);
    await scene.check(true);
    ok(whole.byteCount > FILE_COUNT * FILE_SIZE);
    let killed = 0;
    for (let i = way; i < KILL_COUNT; i += ways.length) {
      await scene.empty();
      const at = prng.below(whole.byteCount);
      const how = hows[(i + way) % hows.length];
      const title = `seed ${prng.seed}, ${how} at ${at}`;
      const first = await scene.run(at, how);
      if (scene.wasKilled) killed++;
      if (how === "client") strictEqual(first.signal, "SIGKILL", title);
      if (how === "interrupt") strictEqual(first.code, 130, title);
      await scene.check(false);
      const stored = scene.storedSize();
      const second = await scene.run(NEVER, "client");
      strictEqual(second.code, 0, `${second.stderr} ${title}`);
      await scene.check(true);
      const again = second.byteCount + stored - whole.byteCount;
      ok(again < AGAIN_MAX, `${again} bytes again, ${stored} stored, ${title}`);
    }
    if (way < KILL_COUNT) ok(killed > 0);
  });
}
