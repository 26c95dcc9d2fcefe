import { ARCHIVE_COMMANDS } from "./archive_commands.ts";
import type { CommandSpec, OptionSpec } from "./command_spec.ts";
import { FAR_COMMANDS } from "./far_commands.ts";
import { KEEP_COMMANDS } from "./keep_commands.ts";
import { MOUNT_COMMANDS } from "./mount_commands.ts";
import { COMMAND } from "../product.ts";
import { PRUNE_COMMANDS } from "./prune_commands.ts";
import {
  ANY,
  AS_SNAPDIR,
  DIRECTORY,
  DRY_RUN,
  EXCLUDES,
  MESSAGE,
  TAG,
  TARGET,
  WORKERS,
} from "./shared_specs.ts";
import { SYNC_COMMANDS } from "./sync_commands.ts";
import { VERIFY_COMMANDS } from "./verify_commands.ts";
import { WATCH_COMMANDS } from "./watch_commands.ts";

const ATTRIBUTES: OptionSpec = {
  name: "attributes",
  short: "a",
  help: "with modes, owners, times and extended attributes",
};
const LONG: OptionSpec = {
  name: "long",
  short: "l",
  help: "with mode, owner, size and time",
};
const CLASSIFY: OptionSpec = {
  name: "classify",
  short: "F",
  help: "a sign behind names: / directory, * executable, @ link, | fifo",
};
const NULL: OptionSpec = {
  name: "null",
  short: "0",
  help: "end each path with NUL, and escape nothing",
};
const FOLLOWED =
  "With --as snapdir a link stands for what it leads to, as it does there; what leads out of the directory is left out, and told.";
/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "save",
    summary: "save a directory as a snapshot, and print its id",
    arguments: [DIRECTORY],
    options: [
      TAG,
      MESSAGE,
      { ...DRY_RUN, help: "print the id, and store nothing" },
      ...EXCLUDES,
      {
        name: "read-all",
        help: "read every file, whatever the snapshot before says",
      },
      {
        name: "trust-stat",
        help: "believe change times on every file system",
      },
      WORKERS,
      {
        name: "host",
        value: "NAME",
        help: "the host that the record names",
      },
    ],
    notes: [
      "What a .snapignore file names, in the syntax of gitignore, is left out. Sockets are, too, the store itself, and snapshots that are mounted below DIR.",
      "Patterns match names byte by byte, and what git ignores with the same patterns is left out. The last one that matches decides: of those given here, --exclude-from after --exclude, before those of the deepest .snapignore. Nothing is taken in again inside a directory that is left out. A PATTERN is taken as it is, with a # or spaces in it. What is no pattern, such as [a, leaves out nothing; a .snapignore above 1 MiB is told and leaves out nothing.",
      "Where nothing has changed since the record before, nor is there another message, no new record is written.",
      "Without a store in reach, one is made in the data folder of the user.",
    ],
    examples: [
      ["save .", "save the current folder"],
      ["save data --tag nightly -m 'before the change'", "and give it a name"],
    ],
  },
  ...WATCH_COMMANDS,
  {
    name: "restore",
    summary: "bring a snapshot back, or a part of it",
    arguments: [TARGET, {
      ...DIRECTORY,
      name: "TARGET",
      help: "where to: a directory, absent or empty without --existing",
    }],
    options: [
      {
        name: "existing",
        help: "write into a directory that is not empty, only what differs",
      },
      {
        name: "delete",
        help: "with --existing: remove what is not in it, ignored files too",
      },
      {
        name: "swap",
        help: "restore beside TARGET, then put it in its place in one step",
      },
      {
        name: "keep-old",
        value: "NAME",
        help: "with --swap: the name that the old TARGET has then",
      },
      DRY_RUN,
      { name: "owner", help: "set owners; the default for root" },
      {
        name: "numeric-owner",
        help: "set owners by their numbers, not by their names",
      },
      { name: "no-owner", help: "leave owners; the default for others" },
      { name: "no-xattrs", help: "leave extended attributes" },
      WORKERS,
      ANY,
    ],
    notes: [
      "Every file is checked against its id before it gets its name. Nothing outside TARGET is written, whatever the snapshot says, and nothing of the store itself is written or removed where it lies in TARGET. What stands there goes only when what replaces it is complete. An entry that cannot be restored is told, and everything else restored. What a restore that was killed has left in TARGET is removed by the next one with --existing.",
      "With --swap all of it is complete beside TARGET, on the same file system, before the two names are exchanged: whoever looks sees the old directory or the new one. Where anything cannot be restored, or the disk is full, or it is ended, TARGET is as it was. The old one is removed then, or has another name beside it by --keep-old. What works in the old one stays in it. What a killed swap has left beside TARGET the next one removes.",
      "One file goes where cp would put it: into TARGET if that is a directory, else TARGET is its new name; - is stdout. What stands there under this name is only replaced with --existing.",
    ],
    examples: [
      ["restore latest out", "the newest snapshot of this host"],
      ["restore nightly:etc/fstab .", "one file, into the current folder"],
      ["restore nightly:etc/fstab fstab.old", "and under another name"],
      ["restore nightly~1 data --existing --delete", "put a folder back"],
    ],
  },
  {
    name: "log",
    summary: "list snapshots, newest first, and their tags",
    arguments: [{
      name: "PATH",
      optional: true,
      help: "only those of this path, or of a folder that holds it",
      completes: "directory",
    }],
    options: [
      {
        name: "number",
        short: "n",
        value: "N",
        help: "at most so many, the newest",
      },
      {
        name: "since",
        value: "TIME",
        help: "from then on: 2026-11-30, '2026-11-30 18:05', or 3d ago",
      },
      { name: "host", value: "NAME", help: "those of this host" },
      {
        name: "tag",
        short: "t",
        value: "NAME",
        help: "the log of this tag",
        completes: "tag",
      },
      ANY,
    ],
    notes: [
      "Each line shows the ids of a snapshot and of its record: both can be used as an ID. A snapshot of which something could not be read says how much, under not read.",
    ],
    examples: [["log . -n 5", "the last five of the current folder"]],
  },
  {
    name: "ls",
    summary: "list what is in a directory of a snapshot",
    arguments: [TARGET],
    options: [
      LONG,
      CLASSIFY,
      { name: "recursive", short: "R", help: "also what is below" },
      NULL,
      ANY,
      {
        name: "mounts",
        help: "list what is mounted, instead of a snapshot",
        replaces: "ID[:PATH]",
      },
    ],
    notes: [
      "A mount is ok, or stale as its program is gone (umount clears it), silent as its program does not answer, or unreachable as it is another user's.",
    ],
    examples: [["ls -l latest:src", "a folder of the newest snapshot"]],
  },
  {
    name: "cat",
    summary: "write a file of a snapshot to stdout",
    arguments: [{
      name: "ID:PATH",
      help: "a file in a snapshot",
      completes: "snapshot",
    }],
    options: [ANY],
  },
  ...MOUNT_COMMANDS,
  {
    name: "diff",
    summary: "compare two snapshots, or a snapshot and a directory",
    arguments: [
      { name: "A", help: "a snapshot or a directory", completes: "side" },
      { name: "B", help: "a snapshot or a directory", completes: "side" },
    ],
    options: [
      ATTRIBUTES,
      { name: "stat", help: "only how many there are of each kind" },
      { name: "exit-code", help: "answer 1 if there are differences" },
      ...EXCLUDES,
      WORKERS,
      ANY,
    ],
    notes: [
      "Lines begin with + for added, - for removed, ~ for changed, ! for another type, and a for other attributes. A name with a slash in it, . and .. are directories.",
      "With -a also for a file that is, or is not, one with another name, and with sockets, which are not saved: what restore --existing --delete would change, apart from what is left out by rules.",
    ],
    examples: [["diff latest .", "what has changed since"]],
  },
  {
    name: "find",
    summary: "find entries of a snapshot by name",
    arguments: [
      {
        name: "PATTERN",
        help: "a name with * ? [a-z]; with a slash in it, a path with ** too",
      },
      {
        name: "ID[:PATH]",
        optional: true,
        help: "where; latest if not given",
        completes: "snapshot",
      },
    ],
    options: [
      {
        name: "type",
        value: "LETTER",
        help: "f file, x executable, d directory, l link, p fifo, c b device",
        completes: ["f", "x", "d", "l", "p", "c", "b"],
      },
      {
        name: "history",
        help: "in which snapshots this path came, changed and went",
      },
      LONG,
      CLASSIFY,
      NULL,
      ANY,
    ],
    examples: [
      ["find '*.ts' nightly:src", "by name, below a folder"],
      ["find --history src/mod.ts", "one path in all snapshots"],
    ],
  },
  ...VERIFY_COMMANDS,
  ...KEEP_COMMANDS,
  ...PRUNE_COMMANDS,
  ...ARCHIVE_COMMANDS,
  {
    name: "id",
    summary: "print the id that a directory or file would be saved under",
    arguments: [{
      name: "PATH",
      help: "a directory, or a file, whose id is what b3sum prints",
      completes: "file",
    }],
    options: [...AS_SNAPDIR, ...EXCLUDES, WORKERS],
    notes: [
      "No store is needed. The one that save would take is left out, as save does.",
      FOLLOWED,
    ],
    examples: [
      ["id --as snapdir data", "the id that snapdir gives the directory"],
    ],
  },
  {
    name: "manifest",
    summary: "write all entries as text, one line each",
    arguments: [{
      name: "ID|DIR",
      help: "a snapshot, a path in it, or a directory",
      completes: "side",
    }],
    options: [ATTRIBUTES, ...AS_SNAPDIR, ...EXCLUDES, WORKERS, ANY],
    notes: [
      "The text can be read, searched, and compared by diff(1). With --json each entry has fields, as those of ls.",
      FOLLOWED,
    ],
  },
  {
    name: "init",
    summary: "make a store",
    arguments: [{
      name: "PATH",
      optional: true,
      help: "where; SNAP_STORE, else .snap, if not given",
      completes: "directory",
    }],
    options: [
      {
        name: "codec",
        value: "CODEC",
        help: "how what is new is compressed: zstd:1 to zstd:19, lz4, none",
        completes: ["zstd:1", "zstd:3", "lz4", "none"],
      },
      {
        name: "chunk-sizes",
        value: "MIN/AVERAGE/MAX",
        help: "sizes of chunks, powers of two, such as 8k/32k/128k",
      },
      {
        name: "bundle-size",
        value: "SIZE",
        help: "most bytes of small files that are compressed as one",
      },
      {
        name: "content-size",
        value: "SIZE",
        help: "least bytes of a large file that are compressed as one",
      },
      { name: "pack-size", value: "SIZE", help: "size of a full pack" },
      {
        name: "single-writer",
        help: "where the server cannot create only what is absent",
      },
    ],
    notes: [
      "No choice here changes an id.",
      "With --single-writer nobody else may write at the same time, now and later: two who do lose what they saved. Later commands have to be told, too, by single-writer = true in the configuration, or ?single-writer=true in the address.",
    ],
  },
  ...SYNC_COMMANDS,
  ...FAR_COMMANDS,
  {
    name: "version",
    summary: "print the version, and what runs",
    arguments: [],
    options: [],
  },
  {
    name: "completions",
    summary: "print the completions of a shell",
    arguments: [{
      name: "SHELL",
      help: "bash, zsh or fish",
      completes: ["bash", "zsh", "fish"],
    }],
    options: [],
    examples: [
      [
        `completions bash > ~/.local/share/bash-completion/completions/${COMMAND}`,
        "for bash",
      ],
      [
        `completions zsh > ~/.zfunc/_${COMMAND}`,
        "for zsh, where fpath has ~/.zfunc before compinit runs",
      ],
      [
        `completions fish > ~/.config/fish/completions/${COMMAND}.fish`,
        "for fish",
      ],
    ],
  },
  {
    name: "help",
    summary: "show help",
    arguments: [{
      name: "COMMAND",
      optional: true,
      help: "of this command",
      completes: "command",
    }],
    options: [],
  },
];

/** Finds a command by its name. */
export function findCommand(name: string): CommandSpec | undefined {
  return COMMANDS.find((one) => one.name === name);
}
