import type { CommandSpec } from "./arguments/command_spec.ts";
import { COMMANDS } from "./arguments/command_table.ts";
import { EXIT_CODES } from "./exit_code.ts";
import { GLOBAL_OPTIONS } from "./arguments/global_options.ts";
import {
  ID_NOTE,
  notesOf,
  optionText,
  usageOf,
} from "./arguments/help_text.ts";
import { COMMAND } from "./product.ts";

/**
 * Writes `docs/cli.md`, before `deno fmt` has formatted it. A test holds that
 * the file is current; with `SNAP_UPDATE=1` it writes the file.
 */
export function cliDocs(): string {
  return [
    "# Command line",
    "",
    `This page is written from the tables that \`${COMMAND} --help\` shows.`,
    "",
    `\`${COMMAND} COMMAND [OPTION]... [ARGUMENT]...\``,
    "",
    ...table(
      ["command", ""],
      COMMANDS.map((one) => [`[${one.name}](#${one.name})`, one.summary]),
    ),
    "",
    "Options stand before or after the command, `--` ends them, and letters stand together (`-lR`). Those of every command:",
    "",
    ...table(
      ["option", ""],
      GLOBAL_OPTIONS.map((one) => [`\`${optionText(one)}\``, one.help]),
    ),
    "",
    ...COMMANDS.flatMap(section),
    ...GENERAL,
    ...table(
      ["code", ""],
      EXIT_CODES.map(([code, text]) => [String(code), text]),
    ),
    "",
  ].join("\n");
}

function section(spec: CommandSpec): string[] {
  const lines = [
    `## ${spec.name}`,
    "",
    `\`${usageOf(spec)}\`: ${spec.summary}.`,
    "",
  ];
  if (spec.arguments.length > 0) {
    const rows = spec.arguments.map((one) => [`\`${one.name}\``, one.help]);
    lines.push(...table(["argument", ""], rows), "");
  }
  if (spec.options.length > 0) {
    const rows = spec.options.map((
      one,
    ) => [`\`${optionText(one)}\``, one.help]);
    lines.push(...table(["option", ""], rows), "");
  }
  for (const note of notesOf(spec)) {
    if (note === ID_NOTE) continue;
    lines.push(note.replaceAll("*", "\\*"), "");
  }
  if (spec.examples !== undefined) {
    lines.push("```sh");
    for (const [line, effect] of spec.examples) {
      lines.push(`${COMMAND} ${line}  # ${effect}`);
    }
    lines.push("```", "");
  }
  return lines;
}

function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)];
}

const GENERAL: readonly string[] = [
  "## Naming snapshots",
  "",
  ID_NOTE,
  "",
  "`ID:PATH` is a path in a snapshot. Paths are shown with `%` and two digits for each byte that is not part of UTF-8, for what acts on a terminal or is not seen (control characters, marks of direction, zero-width characters), and for `%` itself; they may be written in the same way.",
  "",
  "A path of the disk is given as it is, and must be UTF-8, as must the current folder: the runtimes hand on no others. What lies below it may have any name.",
  "",
  "## The store",
  "",
  "A command uses, in this order: `--store`; `SNAP_STORE`; the nearest `.snap` in the current folder or above that holds a store, is owned by the caller and lies on the same file system; `store` of the configuration; the store of the user, `$XDG_DATA_HOME/snap/store` or `~/.local/share/snap/store`, which `save` makes when it is absent. `--verbose` says which one was taken; `save` also says so on a terminal.",
  "",
  "A store is a path, an address such as `s3://bucket/prefix` or `ssh://host/path`, or a name of the configuration: [STORES.md](STORES.md).",
  "",
  "What is kept in a store and what is forgotten: [RETENTION.md](RETENTION.md). A store is not encrypted: who can read it can read what was saved.",
  "",
  "## Output",
  "",
  "Stdout has the result alone, so that `save` prints an id and nothing else. On a terminal tables are aligned, ids cut short, sizes have units, and times are local; elsewhere fields are separated by tabs, and exact. Stderr has what people read: progress on a terminal, and errors: `" +
  COMMAND + ": Cannot …`, with a hint on the next line.",
  "",
  'With `--json` every line of both is an object, `{"v":1,"type":…}`, as [json.schema.json](json.schema.json) says: results on stdout; progress, notes, warnings and errors on stderr. A name that is not UTF-8 stands there twice: `path` is readable, and `pathBytes` is right, in base64. What `exec` runs writes as it pleases.',
  "",
  "`NO_COLOR` (or `--no-color`) turns colours off.",
  "",
  "## Interruption",
  "",
  "The first Ctrl-C (or SIGTERM) ends a command within a second, and no half-made file stays behind; the second ends it at once. What a restore has written until then stays, and `--existing` goes on from there.",
  "",
  "## Permissions",
  "",
  "`deno run -A` allows everything. What each command needs at least, and what is otherwise where a flag is missing, is in [PERMISSIONS.md](PERMISSIONS.md). Nothing is asked where there is another way. With `--allow-ffi` Deno's sandbox holds nothing back.",
  "",
  "## Exit codes",
  "",
];
