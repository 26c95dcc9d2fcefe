import type { CommandSpec, OptionSpec } from "./command_spec.ts";
import { DRY_RUN } from "./shared_specs.ts";

/** How long is waited for others before packs are removed. */
export const WAIT: OptionSpec = {
  name: "wait",
  value: "TIME",
  help: "wait so long, such as 40m, for saves that have begun before",
};

/** The command that frees space. */
export const PRUNE_COMMANDS: readonly CommandSpec[] = [
  {
    name: "prune",
    summary: "free the space of what no snapshot needs any more",
    arguments: [],
    options: [
      DRY_RUN,
      WAIT,
      {
        name: "max-unused",
        value: "PERCENT",
        help:
          "how much of a pack may be of no use before it is written again: 5",
      },
      {
        name: "max-repack",
        value: "SIZE",
        help: "write no more than this again",
      },
      {
        name: "recompress",
        value: "CODEC",
        help:
          "compress what is written again anew: none, lz4, zstd:1 to zstd:19",
      },
      {
        name: "despite",
        value: "ID",
        repeats: true,
        help:
          "go on though this snapshot is broken, and keep what is left of it",
      },
      {
        name: "single-writer",
        help: "nobody else writes now: saves that have not ended were killed",
      },
    ],
    notes: [
      "Others may save, restore, mount and copy meanwhile. What no snapshot needs is condemned first; saves that had begun by then may rely on it, so it is removed when they have ended: the exit code is 3 where that is not yet so, and the next run goes on. A save that was killed on this machine, or has not been heard of for half an hour, counts as failed. It runs at a low priority.",
      "Packs of which more is of no use than --max-unused, and small ones where there are many, are written again without it.",
    ],
    examples: [
      ["prune --dry-run", "say what it would free"],
      ["prune --wait 40m", "wait for saves that run now"],
      ["prune --recompress zstd:19", "make small what is written again"],
    ],
  },
];
