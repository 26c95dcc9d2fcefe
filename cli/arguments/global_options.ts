import type { OptionSpec } from "./command_spec.ts";

/** The options that every command has, before or after its name. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "store",
    value: "PATH",
    help: "the store, instead of the one that is found",
    completes: "directory",
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
