import type { OptionSpec } from "./command_spec.ts";

/** The options that every command has, before or after its name. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "store",
    value: "STORE",
    help: "the store: a path, an address, or a name of the configuration",
    completes: "directory",
  },
  {
    name: "limit-rate",
    value: "SIZE",
    help: "most bytes a second to and from a store far away",
  },
  {
    name: "jobs",
    value: "N",
    help: "most requests at once to a store far away",
  },
  {
    name: "no-cache",
    help:
      "keep no cache on this machine, of stores far away or of what was saved, and use none",
  },
  {
    name: "json",
    help: "JSON lines: results on stdout, progress and errors on stderr",
  },
  { name: "quiet", short: "q", help: "say nothing but errors" },
  { name: "verbose", short: "v", help: "say more, also in pipes" },
  { name: "no-color", help: "no colours, as with NO_COLOR set" },
  { name: "help", short: "h", help: "show help" },
  { name: "version", help: "show the version" },
];
