import type { Completion, OptionSpec } from "./command_spec.ts";
import { COMMANDS } from "./command_table.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { COMMAND } from "./product.ts";

/** Shells that completions can be written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

/**
 * Writes the completions of a shell.
 *
 * @param shell The shell.
 * @returns A script that the shell reads.
 */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell]();
}

/** Names of commands, options and values; all are plain words. */
function words(options: readonly OptionSpec[]): string[] {
  return options.flatMap((one) => [
    `--${one.name}`,
    ...(one.short === undefined ? [] : [`-${one.short}`]),
  ]);
}

/** Text between single quotes, for any of the shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bash(): string {
  const compgen = (kind: Completion | undefined): string =>
    kind === "directory"
      ? '-d -- "$word"'
      : kind === "file" || kind === undefined
      ? '-f -- "$word"'
      : `-W ${quote(kind.join(" "))} -- "$word"`;
  const cases = COMMANDS.map(({ name, options, arguments: args }) => {
    const all = [...GLOBAL_OPTIONS, ...options];
    const values = all.filter((one) => one.value !== undefined).map((one) =>
      `        ${words([one]).join("|")}) COMPREPLY=($(compgen ${
        compgen(one.completes)
      })); return ;;`
    );
    const argument = args.find((one) => one.completes !== undefined);
    return [
      `    ${name})`,
      '      case "$before" in',
      ...values,
      "      esac",
      `      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W ${
        quote(words(all).join(" "))
      } -- "$word"))`,
      `      else COMPREPLY=($(compgen ${
        compgen(argument?.completes)
      })); fi ;;`,
    ].join("\n");
  });
  const names = COMMANDS.map((one) => one.name).join(" ");
  return `# bash completion of ${COMMAND}
_${COMMAND}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --store) i=$((i + 1)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  compopt -o filenames 2>/dev/null
  case "$command" in
    "")
      if [[ $before == --store ]]; then COMPREPLY=($(compgen -d -- "$word"))
      else COMPREPLY=($(compgen -W ${
    quote(`${names} ${words(GLOBAL_OPTIONS).join(" ")}`)
  } -- "$word")); fi ;;
${cases.join("\n")}
  esac
}
complete -F _${COMMAND} ${COMMAND}
`;
}

function zsh(): string {
  const escape = (text: string): string => text.replace(/[[\]:\\]/g, "\\$&");
  const action = (kind: Completion | undefined): string =>
    kind === "directory"
      ? "_files -/"
      : kind === "file" || kind === undefined
      ? "_files"
      : `(${kind.map(escape).join(" ")})`;
  const lines = (options: readonly OptionSpec[], indent: string): string[] =>
    options.flatMap((one) =>
      words([one]).map((word) => {
        const value = one.value === undefined
          ? ""
          : `:${escape(one.value)}:${action(one.completes)}`;
        const star = one.repeats ? "*" : "";
        return `${indent}${
          quote(`${star}${word}[${escape(one.help)}]${value}`)
        } \\`;
      })
    );
  const cases = COMMANDS.map(({ name, options, arguments: args }) =>
    [
      `      (${name})`,
      "        _arguments -s \\",
      ...lines([...GLOBAL_OPTIONS, ...options], "          "),
      ...args.map((one, i) =>
        `          ${
          quote(
            `${i + 1}:${one.optional ? ":" : ""}${escape(one.name)}:${
              action(one.completes)
            }`,
          )
        } \\`
      ),
      "          && return 0 ;;",
    ].join("\n")
  );
  return `#compdef ${COMMAND}
# zsh completion of ${COMMAND}
_${COMMAND}() {
  local curcontext="$curcontext" state line
  _arguments -C \\
${lines(GLOBAL_OPTIONS, "    ").join("\n")}
    '1:command:->command' \\
    '*::argument:->argument' && return 0
  case $state in
    (command)
      local -a commands=(
${
    COMMANDS.map((one) =>
      `        ${quote(`${one.name}:${escape(one.summary)}`)}`
    ).join("\n")
  }
      )
      _describe command commands ;;
    (argument)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}
if [ "$funcstack[1]" = "_${COMMAND}" ]; then _${COMMAND} "$@"; else compdef _${COMMAND} ${COMMAND}; fi
`;
}

function fish(): string {
  const values = (kind: Completion | undefined): string =>
    kind === "directory"
      ? ` -x -a ${quote("(__fish_complete_directories)")}`
      : kind === "file" || kind === undefined
      ? " -r -F"
      : ` -x -a ${quote(kind.join(" "))}`;
  const option = (one: OptionSpec, condition: string): string =>
    `complete -c ${COMMAND}${condition} -l ${one.name}` +
    (one.short === undefined ? "" : ` -s ${one.short}`) +
    (one.value === undefined ? "" : values(one.completes)) +
    ` -d ${quote(one.help)}`;
  return [
    `# fish completion of ${COMMAND}`,
    ...GLOBAL_OPTIONS.map((one) => option(one, "")),
    ...COMMANDS.flatMap(({ name, summary, options }) => [
      `complete -c ${COMMAND} -n __fish_use_subcommand -f -a ${name} -d ${
        quote(summary)
      }`,
      ...options.map((one) =>
        option(one, ` -n ${quote(`__fish_seen_subcommand_from ${name}`)}`)
      ),
    ]),
    ...COMMANDS.flatMap(({ name, arguments: args }) =>
      args.flatMap(({ completes }) => {
        if (typeof completes !== "object") return [];
        const condition = quote(`__fish_seen_subcommand_from ${name}`);
        const list = quote(completes.join(" "));
        return [`complete -c ${COMMAND} -n ${condition} -f -a ${list}`];
      })
    ),
    "",
  ].join("\n");
}
