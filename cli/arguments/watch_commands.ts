import type { CommandSpec } from "./command_spec.ts";
import { KEEP_RULES } from "./keep_commands.ts";
import { DIRECTORY, EXCLUDES, TAG, WORKERS } from "./shared_specs.ts";

/** The command that saves again and again. */
export const WATCH_COMMANDS: readonly CommandSpec[] = [
  {
    name: "watch",
    summary: "save a directory whenever it has changed",
    arguments: [DIRECTORY],
    options: [
      { ...TAG, help: "let the tag name each snapshot" },
      {
        name: "quiet-for",
        value: "TIME",
        help: "save when nothing has changed for so long; 2s if not given",
      },
      {
        name: "max-wait",
        value: "TIME",
        help: "but so long after a change at the latest; 1m if not given",
      },
      ...KEEP_RULES,
      ...EXCLUDES,
      {
        name: "trust-stat",
        help: "believe change times on every file system",
      },
      WORKERS,
      { name: "host", value: "NAME", help: "the host that the records name" },
    ],
    notes: [
      "Saves at once, and then after each change; prints the id of each new snapshot. The kernel tells what changes, and a save opens nothing else; every ten minutes, and after any doubt, it walks all. What is saved is what the command save would save.",
      "The first signal (Ctrl-C) has it save once more what has changed, and end; the next one ends it at once. It ends with an error when the directory is gone or the store fails: whoever starts it may start it again.",
      "With rules, those records of the directory go that no rule keeps and no tag names, once a minute at most; their space is freed by the command prune.",
      "On NFS, FUSE and other file systems that others change, and where fs.inotify.max_user_watches is too small, it looks at what it is not told of each minute.",
    ],
    examples: [
      ["watch . --keep-last 20 --keep-hourly 24", "the last hours of a folder"],
      ["watch data --tag live --quiet-for 30s", "a tag that follows it"],
    ],
  },
];
