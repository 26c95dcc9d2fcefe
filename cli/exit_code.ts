/** Exit codes of the program. */
export const ExitCode = {
  /** Done; also differences without `--exit-code`, and a reader that closed the pipe. */
  done: 0,
  /** Failed, or differences with `--exit-code`. */
  failed: 1,
  /** Wrong usage: nothing was done. */
  usage: 2,
  /** Done, but some files could not be read or written, or changed meanwhile; or `prune` waits for others. */
  incomplete: 3,
  /** `verify` found damage. */
  damaged: 4,
  /** The terminal closed (SIGHUP). */
  hangup: 129,
  /** Interrupted (SIGINT). */
  interrupted: 130,
  /** Told to end (SIGTERM). */
  terminated: 143,
} as const;

/** One of the answers in {@linkcode ExitCode}. */
export type ExitCode = typeof ExitCode[keyof typeof ExitCode];

/** Exit code of `exec` when its command cannot be run, as of shells. */
export const COMMAND_NOT_RUN = 126;

/** Exit code of `exec` when there is no such command, as of shells. */
export const COMMAND_NOT_FOUND = 127;

/** Meaning of each exit code, for help and documentation. */
export const EXIT_CODES: readonly (readonly [number, string])[] = [
  [0, "done; also when diff finds differences, or the reader closed the pipe"],
  [1, "failed; with diff --exit-code: there are differences"],
  [2, "wrong usage, nothing was done"],
  [
    3,
    "done, but some files could not be read or written, or changed meanwhile; of prune: others have to end first",
  ],
  [4, "verify found damage"],
  [126, "exec: the command cannot be run"],
  [127, "exec: there is no such command"],
  [129, "ended by a hangup of the terminal"],
  [130, "interrupted by Ctrl-C"],
  [143, "ended by SIGTERM"],
];
