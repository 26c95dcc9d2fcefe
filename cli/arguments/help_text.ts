import type { ArgumentSpec, CommandSpec, OptionSpec } from "./command_spec.ts";
import { COMMANDS } from "./command_table.ts";
import { EXIT_CODES } from "../exit_code.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { COMMAND, PRODUCT } from "../product.ts";

/** Ways to write an `ID`. */
export const ID_NOTE =
  "An ID is 64 hex digits or the first 4 or more of them, of a snapshot or of a record, as log shows both; ID@RECORD; a tag, which goes before an id that begins like it; latest (of this host, and of the current folder or the nearest above it that was saved, else of any); or one of the last two with ~N for the Nth before.";

export function programHelp(): string {
  return [
    `${PRODUCT}: content-addressed snapshots of directories`,
    "",
    `Usage: ${COMMAND} COMMAND [OPTION]... [ARGUMENT]...`,
    "",
    "Commands:",
    ...twoColumns(COMMANDS.map((one) => [one.name, one.summary])),
    "",
    "Options of every command:",
    ...twoColumns(GLOBAL_OPTIONS.map((one) => [optionText(one), one.help])),
    "",
    ...wrap(ID_NOTE),
    "",
    "Exit codes:",
    ...twoColumns(EXIT_CODES.map(([code, text]) => [String(code), text])),
    "",
    `${COMMAND} help COMMAND tells more of one.`,
    "",
  ].join("\n");
}

export function commandHelp(spec: CommandSpec): string {
  const lines = [
    `${COMMAND} ${spec.name}: ${spec.summary}`,
    "",
    `Usage: ${usageOf(spec)}`,
  ];
  const section = (title: string, rows: [string, string][]): void => {
    if (rows.length > 0) lines.push("", title, ...twoColumns(rows));
  };
  section("Arguments:", spec.arguments.map((one) => [one.name, one.help]));
  section("Options:", spec.options.map((one) => [optionText(one), one.help]));
  for (const note of notesOf(spec)) lines.push("", ...wrap(note));
  section(
    "Examples:",
    (spec.examples ?? []).map(([line, effect]) => [
      `${COMMAND} ${line}`,
      effect,
    ]),
  );
  lines.push("", `${COMMAND} --help lists the options of every command.`, "");
  return lines.join("\n");
}

/** Notes of a command, its own first. */
export function notesOf(spec: CommandSpec): string[] {
  const takesId = spec.arguments.some((one) => /^ID|^[AB]$/.test(one.name));
  return [...spec.notes ?? [], ...(takesId ? [ID_NOTE] : [])];
}

/**
 * The usage line of a command.
 *
 * @returns Text like `snap save [OPTION]... DIR`.
 */
export function usageOf(spec: CommandSpec): string {
  const options = spec.options.length > 0 ? " [OPTION]..." : "";
  const words = spec.arguments.map((one) => ` ${argumentText(one)}`);
  return `${COMMAND} ${spec.name}${options}${words.join("")}`;
}

function argumentText(argument: ArgumentSpec): string {
  const { name, optional, repeats, isBehindDashes } = argument;
  const dashes = isBehindDashes ? "-- " : "";
  const dots = repeats ? "..." : "";
  return dashes + (optional ? `[${name}]` : name) + dots;
}

/**
 * An option as help shows it.
 *
 * @returns Text like `-t, --tag NAME`.
 */
export function optionText(option: OptionSpec): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  const { value: needed, optionalValue } = option;
  const value = needed !== undefined
    ? ` ${needed}`
    : optionalValue === undefined
    ? ""
    : `[=${optionalValue}]`;
  return `${short}--${option.name}${value}`;
}

const WIDTH = 80;
/** The widest left column beside which there is still room. */
const LEFT_MAX = 48;

function twoColumns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(
    LEFT_MAX,
    Math.max(...rows.map(([left]) => left.length)),
  );
  return rows.flatMap(([left, right]) => {
    const indent = " ".repeat(width + 4);
    const lines = wrap(right, WIDTH - width - 4);
    if (left.length > width) {
      return [`  ${left}`, ...lines.map((line) => indent + line)];
    }
    return lines.map((line, i) =>
      i === 0 ? `  ${left.padEnd(width)}  ${line}` : indent + line
    );
  });
}

function wrap(text: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
