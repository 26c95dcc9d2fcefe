import type { ArgumentSpec, OptionSpec } from "./command_spec.ts";

/** A directory of the disk. */
export const DIRECTORY: ArgumentSpec = {
  name: "DIR",
  help: "a directory",
  completes: "directory",
};

/** A snapshot, or a part of one. */
export const TARGET: ArgumentSpec = {
  name: "ID[:PATH]",
  help: "a snapshot, or a path in it",
  completes: "snapshot",
};

/** `--any`: `latest` of all folders and hosts. */
export const ANY: OptionSpec = {
  name: "any",
  help: "records of all hosts, not only of this one",
};

/** `--dry-run` */
export const DRY_RUN: OptionSpec = {
  name: "dry-run",
  short: "n",
  help: "say what would be done, and do nothing",
};

/** Options that leave entries of a directory out. */
export const EXCLUDES: readonly OptionSpec[] = [
  {
    name: "exclude",
    value: "PATTERN",
    repeats: true,
    help: "leave out what matches, in the syntax of gitignore",
    completes: "file",
  },
  {
    name: "exclude-from",
    value: "FILE",
    repeats: true,
    help: "leave out what the lines of the file match, 1 MiB at most",
    completes: "file",
  },
  {
    name: "exclude-caches",
    help: "leave out what is in directories marked by a CACHEDIR.TAG",
  },
  {
    name: "one-file-system",
    short: "x",
    help: "do not enter other file systems",
  },
];

/** `--workers`: threads that read and hash. */
export const WORKERS: OptionSpec = {
  name: "workers",
  value: "N",
  help: "threads; as many as there are cores, at most 8, if not given",
};

/** `--tag` of what makes a snapshot. */
export const TAG: OptionSpec = {
  name: "tag",
  short: "t",
  value: "NAME",
  help: "let the tag name this snapshot",
  completes: "tag",
};

/** `--message` of what makes a snapshot. */
export const MESSAGE: OptionSpec = {
  name: "message",
  short: "m",
  value: "TEXT",
  help: "what to say about it",
};

/** `--no-follow` */
export const NO_FOLLOW: OptionSpec = {
  name: "no-follow",
  help: "with --as snapdir: leave symbolic links out, not follow them",
};

/** `--as snapdir` and what belongs to it, of commands that name or list a directory. */
export const AS_SNAPDIR: readonly OptionSpec[] = [
  {
    name: "as",
    value: "FORMAT",
    help: "snapdir: as that program does, byte for byte",
    completes: ["snapdir"],
  },
  NO_FOLLOW,
];
