import { COMMAND } from "../product.ts";
import type { ArgumentSpec, CommandSpec, OptionSpec } from "./command_spec.ts";

const WORKERS: OptionSpec = {
  name: "workers",
  value: "N",
  help:
    "threads between two folders; as many as there are cores, at most 8, if not given",
};

const OPTIONS: readonly OptionSpec[] = [
  { name: "dry-run", short: "n", help: "say what would cross" },
  {
    name: "recheck",
    help: "look up all that snapshots need that are there already",
  },
  WORKERS,
];

/** Which snapshots, beside their names. */
const CHOICE: readonly OptionSpec[] = [
  { name: "all", help: "all snapshots and tags, as without names" },
  { name: "tags", help: "the tags, and only what they name at present" },
];

const MIRROR: OptionSpec = {
  name: "mirror",
  value: "WHAT",
  help:
    "forgets: forget what the source has forgotten; exact: also remove what it never had",
  completes: ["forgets", "exact"],
};

const NAMES: ArgumentSpec = {
  name: "ID",
  optional: true,
  repeats: true,
  help: "snapshots or tags; all if not given",
  completes: "snapshot",
};

function storeArgument(name: string, help: string): ArgumentSpec {
  return { name, help, completes: "directory" };
}

/** Commands that copy snapshots between stores. */
export const SYNC_COMMANDS: readonly CommandSpec[] = [
  {
    name: "push",
    summary: "copy snapshots and tags to another store",
    arguments: [storeArgument("STORE", "where they go"), NAMES],
    options: [...CHOICE, ...OPTIONS, MIRROR],
    notes: [
      "Only what is missing there crosses, checked on both sides, and a snapshot is there only when all of it is. What was interrupted goes on when it is run again. With names, tags cross that are among them; else all.",
    ],
    examples: [
      ["push offsite", "everything"],
      ["push ssh://backup/srv/snaps main", "what the tag main has named"],
    ],
  },
  {
    name: "pull",
    summary: "copy snapshots and tags from another store",
    arguments: [storeArgument("STORE", "where they are"), NAMES],
    options: [...CHOICE, ...OPTIONS, MIRROR],
    examples: [["pull https://build/snaps nightly", "one tag"]],
  },
  {
    name: "sync",
    summary: "copy between two stores what either lacks",
    arguments: [
      storeArgument("A", "a store"),
      storeArgument("B", "another one"),
    ],
    options: OPTIONS,
    notes: [
      "Logs of tags become equal: a tag names afterwards what it was made to name last, on either side. Snapshots that one side has forgotten do not come back.",
    ],
  },
  {
    name: "clone",
    summary: "make a store in a folder that has all that another has",
    arguments: [
      storeArgument("STORE", "the other one"),
      storeArgument(
        "DIR",
        "the folder, absent or empty, or a clone that was begun",
      ),
    ],
    options: [WORKERS],
    examples: [[
      `clone ssh://host/srv/snaps snaps`,
      `then: ${COMMAND} log --store snaps`,
    ]],
  },
];
