import type { CommandSpec, OptionSpec } from "./command_spec.ts";
import { ANY, DIRECTORY, TARGET } from "./shared_specs.ts";

const CACHE: OptionSpec = {
  name: "cache",
  value: "SIZE",
  help: "memory for what was read; 64m if not given",
};

const NUMERIC_OWNER: OptionSpec = {
  name: "numeric-owner",
  help: "show owners by their numbers, not by their names",
};

/** The commands that show snapshots as file systems. */
export const MOUNT_COMMANDS: readonly CommandSpec[] = [
  {
    name: "mount",
    summary: "show a snapshot as a read-only file system",
    arguments: [TARGET, {
      ...DIRECTORY,
      help: "where; an absent one is not made",
    }],
    options: [
      {
        name: "all",
        help: "all snapshots, in ids/ and tags/, instead of one",
        replaces: "ID[:PATH]",
      },
      {
        name: "foreground",
        short: "f",
        help: "serve until it is unmounted, or Ctrl-C",
      },
      {
        name: "background",
        short: "b",
        help: "return when it answers; the default",
      },
      {
        name: "allow-other",
        help: "let other users in, as far as recorded modes and lists do",
      },
      NUMERIC_OWNER,
      CACHE,
      {
        name: "workers",
        value: "N",
        help: "threads that answer; 2 if not given, 1 on one core",
      },
      {
        name: "log",
        value: "FILE",
        help: "where the background writes errors; nowhere if not given",
        completes: "file",
      },
      {
        name: "stats",
        help: "write statistics at the end; SIGUSR2 writes them at any time",
      },
      ANY,
    ],
    ownOptions: [{
      name: "report",
      help: "say the outcome in one line of JSON on stdout",
    }],
    notes: [
      "Prints the mount point when it answers. It ends by umount; in the foreground also by Ctrl-C or SIGTERM, with 0.",
      "With --all a snapshot is ids/TREE, of its newest record, and tags/TAG/TIME, by when it was tagged, in UTC; tags/TAG/latest leads to the newest. What is saved later appears within a second.",
      "Root needs nothing for it, others fusermount3 (package fuse3). Set-id bits and devices have no effect. An owner whose recorded name this machine knows has its number here, as after a restore; --numeric-owner shows the recorded numbers.",
    ],
    examples: [
      ["mount latest /mnt", "the newest snapshot of this host"],
      ["mount nightly:etc /mnt -f", "a folder of one, until Ctrl-C"],
      ["mount --all /mnt", "all, each under its name"],
    ],
  },
  {
    name: "umount",
    summary: "end a mount",
    arguments: [{ ...DIRECTORY, help: "where it is mounted" }],
    options: [{
      name: "lazy",
      help: "out of sight at once, and ended with the last file in use",
    }],
    notes: [
      "A stale mount, whose program is gone, is cleared in the same way.",
    ],
  },
  {
    name: "exec",
    summary: "run a command inside of a snapshot",
    arguments: [
      TARGET,
      {
        name: "COMMAND",
        isBehindDashes: true,
        help: "a program, whose working folder is the snapshot",
      },
      { name: "ARG", optional: true, repeats: true, help: "its arguments" },
    ],
    options: [
      NUMERIC_OWNER,
      CACHE,
      ANY,
    ],
    ownOptions: [{
      name: "inside",
      value: "DIR",
      help: "mount there and run the command, in the namespace of this process",
    }],
    notes: [
      "The mount is seen by the command and its children only, at the path in SNAP_MOUNT, and ends with the command. It is read-only: what the command writes has to go elsewhere. It needs no rights but user namespaces, and unshare(1).",
      "Answers what the command answers: 128 and its number if a signal ended it, 127 if there is no such command, 126 if it cannot be run.",
    ],
    examples: [
      ["exec latest -- ls -l", "list it with ls"],
      ["exec nightly~1 -- grep -rn main .", "search the day before"],
    ],
  },
];
