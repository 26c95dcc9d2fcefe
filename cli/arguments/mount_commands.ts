import type { CommandSpec, OptionSpec } from "./command_spec.ts";
import {
  ANY,
  DIRECTORY,
  MESSAGE,
  TAG,
  TARGET,
  WORKERS,
} from "./shared_specs.ts";

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
    summary:
      "show a snapshot as a file system, read-only unless told otherwise",
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
        name: "writable",
        short: "w",
        help: "let it be written to; commit saves what was written",
      },
      {
        name: "upper",
        value: "FOLDER",
        help: "with --writable: where what is written goes",
        completes: "directory",
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
      "With --writable an overlay of the kernel takes what is written, into a private folder in the state folder of the user, or --upper; the snapshot stays as it is. umount leaves the folder: commit makes a snapshot of both, umount --discard drops it, and the next mount --writable of the same snapshot there goes on with it. Root may mount overlays, and so may users in a namespace of their own; others have exec --save, restore and restore --swap.",
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
    }, {
      name: "discard",
      help: "drop what was written to a mount --writable, also an ended one",
    }],
    notes: [
      "A stale mount, whose program is gone, is cleared in the same way.",
    ],
  },
  {
    name: "commit",
    summary: "save what was written to a mount --writable",
    arguments: [{
      ...DIRECTORY,
      help: "where it is or was mounted, or the folder with what was written",
    }],
    options: [
      TAG,
      MESSAGE,
      WORKERS,
      {
        name: "host",
        value: "NAME",
        help: "the host that the record names",
      },
    ],
    notes: [
      "The new snapshot is the mounted one with what differs. Only what was written is read, so it takes as long as that is large; its id is that of a save of DIR. Everything is saved, also what a .snapignore names; sockets are not. A hard link whose file was written to is a file of its own, as the kernel makes it in an overlay.",
      "A mount goes on, and may be written to meanwhile, as in a save. Of an ended one the folder with what was written is removed when all of it is saved.",
    ],
    examples: [
      ["commit /mnt -t fixed", "save it, and give it a name"],
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
      {
        name: "save",
        value: "TAG",
        help: "let it write, and save that under the tag if it answers 0",
        completes: "tag",
      },
      {
        name: "always",
        help: "with --save: save whatever it answers",
      },
      { ...MESSAGE, help: "with --save: what to say about it" },
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
      "The mount is seen by the command and its children only, at the path in SNAP_MOUNT, and ends with the command. It is read-only without --save: what the command writes has to go elsewhere. It needs no rights but user namespaces, and unshare(1).",
      "With --save the command may write, and when it has answered 0 the snapshot with what it wrote has the tag. Otherwise nothing is saved, the tag names what it did, and how much is dropped is told; with --always it is saved all the same. What the command has left running is ended with it. Only what was written is read to save it. Where saving fails, the folder with what was written is told, for commit.",
      "Answers what the command answers: 128 and its number if a signal ended it, 127 if there is no such command, 126 if it cannot be run.",
    ],
    examples: [
      ["exec latest -- ls -l", "list it with ls"],
      [
        "exec --save built source -- make",
        "a snapshot of source with what make wrote",
      ],
      ["exec nightly~1 -- grep -rn main .", "search the day before"],
    ],
  },
];
