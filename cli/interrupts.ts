import { InterruptError, type SignalHandler } from "./context.ts";
import { ExitCode } from "./exit_code.ts";

const SIGNALS: readonly (readonly [Parameters<SignalHandler>[0], ExitCode])[] =
  [
    ["SIGINT", ExitCode.interrupted],
    ["SIGTERM", ExitCode.terminated],
    ["SIGHUP", ExitCode.hangup],
  ];

/** Signal calls of a runtime. */
export interface SignalCalls {
  /** Calls back for each signal of a name, which then does not end the program. */
  listen(name: Parameters<SignalHandler>[0], handler: () => void): void;
  /** Ends the program at once, whatever its threads wait for. */
  end(name: Parameters<SignalHandler>[0], code: ExitCode): void;
}

/** Signals that end the program, as one abort signal. */
export interface Interrupts {
  /** Aborts with an {@linkcode InterruptError} at the first signal. */
  readonly signal: AbortSignal;
  /** Rejects with the reason of the signal. */
  readonly interrupted: Promise<never>;
  /** Gives signals to a command, which then do not end the program. */
  takeSignals(handler: SignalHandler): () => void;
}

/**
 * Listens for the signals that end a program: the first asks it to end, the
 * next one does.
 */
export function watchInterrupts(calls: SignalCalls): Interrupts {
  const controller = new AbortController();
  const { signal } = controller;
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  interrupted.catch(() => {});
  let taken: SignalHandler | undefined;
  for (const [name, exitCode] of SIGNALS) {
    calls.listen(name, () => {
      if (taken !== undefined) return taken(name, exitCode);
      if (signal.aborted) calls.end(name, exitCode);
      controller.abort(new InterruptError(name, exitCode));
    });
  }
  const takeSignals = (handler: SignalHandler): () => void => {
    taken = handler;
    return () => {
      taken = undefined;
    };
  };
  return { signal, interrupted, takeSignals };
}
