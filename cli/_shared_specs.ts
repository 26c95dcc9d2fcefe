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

/** Whose `latest` is meant. */
export const ANY: OptionSpec = {
  name: "any",
  help: "records of all hosts, not only of this one",
};
