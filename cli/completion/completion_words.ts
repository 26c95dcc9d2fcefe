import type { Completion, OptionSpec } from "../arguments/command_spec.ts";
import { COMMANDS } from "../arguments/command_table.ts";

/**
 * Writes options as they stand on a command line.
 *
 * @param options The options; names and values are plain words.
 * @returns Their long and short names with dashes.
 */
export function words(options: readonly OptionSpec[]): string[] {
  return options.flatMap((one) => [
    `--${one.name}`,
    ...(one.short === undefined ? [] : [`-${one.short}`]),
  ]);
}

/**
 * Quotes a text for any of the shells.
 *
 * @param text The text.
 * @returns It between single quotes.
 */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Finds the options that the next word belongs to, in whichever command.
 *
 * @returns Their long and short names with dashes.
 */
export function valueWords(): string[] {
  const options = COMMANDS.flatMap((one) => one.options);
  return [
    ...new Set(words(options.filter((one) => one.value !== undefined))),
  ];
}

/**
 * Writes what a shell offers as one text.
 *
 * @param kind What it offers.
 * @returns The name of the kind; a list, and the names of commands, as words.
 */
export function kindOf(kind: Completion): string {
  if (kind === "command") return COMMANDS.map((one) => one.name).join(" ");
  return typeof kind === "string" ? kind : kind.join(" ");
}
