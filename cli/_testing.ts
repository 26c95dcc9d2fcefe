/** What the tests of this package share: the program in this process. */
import { mkdtempSync, rmSync } from "node:fs";
// Libraries that are loaded while a test runs count as leaks.
import "@snap/posix/decoders";
import "@snap/posix";
import { join } from "node:path";
import type { CliContext, Output } from "./context.ts";
import { main } from "./program.ts";

/** What a run left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
}

/** Where a run takes place. */
export interface RunOptions {
  /** Whether stdout and stderr are a terminal. */
  readonly isTerminal?: boolean;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Called with each piece that is written to stdout; what it throws ends the write. */
  readonly onStdout?: (bytes: Uint8Array) => void;
  /** Gives signals to a command that has its own end. */
  readonly takeSignals?: CliContext["takeSignals"];
}

/** An empty folder with a home, in which the program is run. */
export class Sandbox {
  /** The folder. */
  readonly path: string;

  constructor() {
    this.path = mkdtempSync("/tmp/snap-cli-test-");
  }

  /** A path below the folder. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Runs the program. */
  async run(
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<Outcome> {
    const { isTerminal = false, cwd = this.path, signal, onStdout } = options;
    const { takeSignals } = options;
    const stdout = new Collector(isTerminal, onStdout);
    const stderr = new Collector(isTerminal);
    const env: Record<string, string> = {
      HOME: this.at("home"),
      ...options.env,
    };
    const context: CliContext = {
      stdout,
      stderr,
      cwd,
      env: (name) => env[name],
      hostname: () => "box",
      signal,
      runtime: "test 1",
      ...(takeSignals === undefined ? {} : { takeSignals }),
    };
    const code = await main(args, context);
    return {
      code,
      stdout: new TextDecoder().decode(stdout.bytes()),
      stdoutBytes: stdout.bytes(),
      stderr: new TextDecoder().decode(stderr.bytes()),
    };
  }

  /** Removes the folder. */
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

class Collector implements Output {
  readonly isTerminal: boolean;
  readonly #onWrite: ((bytes: Uint8Array) => void) | undefined;
  readonly #parts: Uint8Array[] = [];

  constructor(isTerminal: boolean, onWrite?: (bytes: Uint8Array) => void) {
    this.isTerminal = isTerminal;
    this.#onWrite = onWrite;
  }

  write(bytes: Uint8Array): Promise<void> {
    try {
      this.#onWrite?.(bytes);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#parts.push(bytes.slice());
    return Promise.resolve();
  }

  columns(): number {
    return 80;
  }

  bytes(): Uint8Array {
    const size = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const all = new Uint8Array(size);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
