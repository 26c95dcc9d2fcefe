import { readFileSync, writeFileSync } from "node:fs";
import { ROOT } from "../_tools/workspace.ts";
import type { StepCost } from "./_case.ts";
import { cpuSecondsOf } from "./_process_cpu.ts";

/** `snap serve` of a store on this machine, until it is disposed of. */
export class Server implements AsyncDisposable {
  /** Where it is. */
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #said: ReadableStreamDefaultReader<string>;

  private constructor(
    child: Deno.ChildProcess,
    said: ReadableStreamDefaultReader<string>,
    url: string,
  ) {
    this.#child = child;
    this.#said = said;
    this.url = url;
  }

  /**
   * Starts it.
   *
   * @param store The folder of the store.
   * @returns The server, which listens.
   */
  static async start(store: string): Promise<Server> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", `${ROOT}cli/main.ts`, "serve", store],
        ...["--listen", "127.0.0.1:0"],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const said = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const { value: url } = await said.read();
    if (url !== undefined) return new Server(child, said, url.trim());
    throw new Error(`Cannot serve ${store}: ${(await child.status).code}`);
  }

  /** Begins to look for the most memory anew. */
  reset(): void {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, "5");
  }

  /** What it took so far: processor time of all, and the most memory since the last reset. */
  cost(): Omit<StepCost, "wallSeconds"> {
    const { pid } = this.#child;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kilobytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]);
    return {
      cpuSeconds: cpuSecondsOf(pid),
      peakBytes: kilobytes * 1024,
    };
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#said.cancel();
  }
}
