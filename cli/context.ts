import type { ExitCode } from "./exit_code.ts";

/** A stream that a program writes to. */
export interface Output {
  /** Whether a person reads along. */
  readonly isTerminal: boolean;
  /**
   * Writes all bytes.
   *
   * @param bytes The bytes; they may change after the promise resolves.
   * @throws {ClosedPipeError} If the reader has gone.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * The width of the terminal.
   *
   * @returns Columns, or `undefined` where there is no terminal.
   */
  columns?(): number | undefined;
}

/**
 * Called for a signal that would end the program.
 *
 * @param name The name of the signal.
 * @param exitCode The answer to the shell if the program ends by it.
 */
export type SignalHandler = (
  name: "SIGINT" | "SIGTERM" | "SIGHUP",
  exitCode: ExitCode,
) => void;

/** The runtime as the program sees it: output, environment, signals. */
export interface CliContext {
  /** Takes the result and nothing else. */
  readonly stdout: Output;
  /** Takes what people read: progress, notes, errors. */
  readonly stderr: Output;
  /** Ends the program; an {@linkcode InterruptError} as its reason gives the exit code. */
  readonly signal?: AbortSignal | undefined;
  /** The folder that paths are relative to, an absolute path. */
  readonly cwd: string;
  /**
   * Looks up a variable of the environment. Never asks for permission.
   *
   * @returns Its value, or `undefined` if it is not set or may not be read.
   */
  env(name: string): string | undefined;
  /**
   * The name of the machine.
   *
   * @returns The name, or `undefined` if it may not be read.
   */
  hostname?(): string | undefined;
  /** Lets other programs go before this one from here on, if the system and the runtime permit it. */
  lowerPriority?(): Promise<void>;
  /**
   * The user id of the caller.
   *
   * @returns The id, or `undefined` where there is none.
   */
  uid?(): number | undefined;
  /**
   * Whether the runtime lets the program read or write a path.
   *
   * @param permission What is asked for.
   * @param path The path, absolute.
   * @returns True also where the runtime has no permissions.
   */
  isAllowed?(permission: "read" | "write", path: string): boolean;
  /**
   * Gives the signals that would end the program to a command that has its own end.
   *
   * @param handler Called for each.
   * @returns What gives them back.
   */
  takeSignals?(handler: SignalHandler): () => void;
  /**
   * Calls back when somebody asks for statistics (SIGUSR2), from now on.
   *
   * @param handler Called for each time.
   */
  onAsked?(handler: () => void): void;
  /**
   * The words that start this program again, with the same permissions.
   *
   * @returns What stands before its arguments.
   */
  command?(): Promise<readonly string[]>;
  /** The runtime and its version, such as `deno 2.9.6`. */
  readonly runtime?: string;
}

/** Thrown by an {@linkcode Output} whose reader has gone. The program then ends quietly. */
export class ClosedPipeError extends Error {
  /** Makes the error. */
  constructor() {
    super("Cannot write the result: its reader has gone");
    this.name = "ClosedPipeError";
  }
}

/** The reason of an interruption. */
export class InterruptError extends Error {
  /** Such as `SIGINT`. */
  readonly signalName: string;
  /** The answer to the shell. */
  readonly exitCode: ExitCode;

  /**
   * Makes the reason.
   *
   * @param signalName Such as `SIGINT`.
   * @param exitCode The answer to the shell.
   */
  constructor(signalName: string, exitCode: ExitCode) {
    super(`Cannot go on: ${signalName} came`);
    this.name = "InterruptError";
    this.signalName = signalName;
    this.exitCode = exitCode;
  }
}
