import type {
  CommandSpec,
  Completion,
  OptionSpec,
} from "../arguments/command_spec.ts";
import { COMMANDS } from "../arguments/command_table.ts";
import { quote, words } from "./completion_words.ts";
import { GLOBAL_OPTIONS } from "../arguments/global_options.ts";
import { COMMAND } from "../product.ts";

/**
 * Writes the completions of zsh.
 *
 * @returns A script, for a folder of `fpath` or to be read at once.
 */
export function zshCompletion(): string {
  return `#compdef ${COMMAND}
# zsh completion of ${COMMAND}
_${COMMAND}_names() {
  local place=\${opt_args[--store]:-$store}
  local -a expl names=(\${(f)"$(${COMMAND} \${place:+--store=\${(Q)place}} tag 2>/dev/null | cut -f1)"} $@)
  _wanted tags expl tag compadd -a names
}
_${COMMAND}_tags() { _${COMMAND}_names }
_${COMMAND}_snapshots() { _${COMMAND}_names latest }
_${COMMAND}_sides() {
  _alternative 'snapshots:snapshot:_${COMMAND}_snapshots' 'directories:directory:_files -/'
}
_${COMMAND}_commands() {
  local -a commands=(
${
    COMMANDS.map((one) => `    ${quote(`${one.name}:${escape(one.summary)}`)}`)
      .join("\n")
  }
  )
  _describe command commands
}
_${COMMAND}() {
  local curcontext="$curcontext" state store
  local -a line
  local -A opt_args
  _arguments -C \\
${optionLines(GLOBAL_OPTIONS, "    ").join("\n")}
    '(-)1:command:_${COMMAND}_commands' \\
    '(-)*::argument:->argument' && return 0
  store=$opt_args[--store]
  case $state in
    (argument)
      case $line[1] in
${COMMANDS.map(commandCase).join("\n")}
      esac ;;
  esac
  return 1
}
if [ "$funcstack[1]" = "_${COMMAND}" ]; then _${COMMAND} "$@"; else compdef _${COMMAND} ${COMMAND}; fi
`;
}

function commandCase({ name, options, arguments: args }: CommandSpec): string {
  return [
    `      (${name})`,
    "        _arguments -s \\",
    ...optionLines([...GLOBAL_OPTIONS, ...options], "          "),
    ...args.map((one, i) => {
      const colon = one.optional ? ":" : "";
      const what = `${escape(one.name)}:${action(one.completes)}`;
      return `          ${quote(`${i + 1}:${colon}${what}`)} \\`;
    }),
    "          && return 0 ;;",
  ].join("\n");
}

function optionLines(
  options: readonly OptionSpec[],
  indent: string,
): string[] {
  return options.flatMap((one) =>
    words([one]).map((word) => {
      const value = one.value === undefined
        ? ""
        : `:${escape(one.value)}:${action(one.completes)}`;
      const star = one.repeats ? "*" : "";
      const equals = value !== "" && word.startsWith("--") ? "=" : "";
      const line = `${star}${word}${equals}[${escape(one.help)}]${value}`;
      return `${indent}${quote(line)} \\`;
    })
  );
}

function action(kind: Completion | undefined): string {
  if (kind === undefined) return " ";
  if (kind === "directory") return "_files -/";
  if (kind === "file") return "_files";
  return typeof kind === "string"
    ? `_${COMMAND}_${kind}s`
    : `(${kind.map(escape).join(" ")})`;
}

function escape(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}
