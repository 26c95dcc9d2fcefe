import type { Completion, OptionSpec } from "../arguments/command_spec.ts";
import { GLOBAL_OPTIONS } from "../arguments/global_options.ts";
import { COMMANDS } from "../arguments/command_table.ts";

/** Writes options as they stand on a command line. */
export function words(options: readonly OptionSpec[]): string[] {
  return options.flatMap((one) => [
    `--${one.name}`,
    ...(one.short === undefined ? [] : [`-${one.short}`]),
  ]);
}

/** Quotes a text for any of the shells. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Finds the options that the next word belongs to, in whichever command. */
export function valueWords(): string[] {
  const options = [
    // --store stands apart: what follows it is needed.
    ...GLOBAL_OPTIONS.filter((one) => one.name !== "store"),
    ...COMMANDS.flatMap((one) => one.options),
  ];
  return [
    ...new Set(words(options.filter((one) => one.value !== undefined))),
  ];
}

/**
 * Writes what a shell offers as one text.
 *
 * @returns The name of the kind; a list, and the names of commands, as words.
 */
export function kindOf(kind: Completion): string {
  if (kind === "command") return COMMANDS.map((one) => one.name).join(" ");
  return typeof kind === "string" ? kind : kind.join(" ");
}
