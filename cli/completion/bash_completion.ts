import type { CommandSpec, Completion } from "../arguments/command_spec.ts";
import { COMMANDS } from "../arguments/command_table.ts";
import { kindOf, quote, valueWords, words } from "./completion_words.ts";
import { GLOBAL_OPTIONS } from "../arguments/global_options.ts";
import { COMMAND } from "../product.ts";

/** Writes the completions of bash. */
export function bashCompletion(): string {
  const names = COMMANDS.map((one) => one.name).join(" ");
  return `# bash completion of ${COMMAND}
_${COMMAND}_tags() { ${COMMAND} "\${store[@]}" tag 2>/dev/null | cut -f1; }
_${COMMAND}_offer() {
  local IFS=$'\\n'
  case "$1" in
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")) ;;
    directory) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$word")) ;;
    tag) COMPREPLY=($(compgen -W "$(_${COMMAND}_tags)" -- "$word")) ;;
    snapshot) COMPREPLY=($(compgen -W "latest$IFS$(_${COMMAND}_tags)" -- "$word")) ;;
    side)
      _${COMMAND}_offer directory
      COMPREPLY+=($(compgen -W "latest$IFS$(_${COMMAND}_tags)" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "\${1// /$IFS}" -- "$word")) ;;
  esac
}
_${COMMAND}() {
  local words word before command= position=0 store=() i
  # Not COMP_WORDS, which are cut at colons. The dot holds the place of a word that is empty yet.
  IFS=$' \\t' read -ra words <<<"\${COMP_LINE:0:COMP_POINT}."
  local last=$((\${#words[@]} - 1))
  word=\${words[last]%.} before=\${words[last-1]}
  for ((i = 1; i < last; i++)); do
    case "\${words[i]}" in
      --store) store=(--store "\${words[++i]}") ;;
      --store=*) store=("\${words[i]}") ;;
      ${valueWords().join("|")}) i=$((i + 1)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=\${words[i]}; else position=$((position + 1)); fi ;;
    esac
  done
  COMPREPLY=()
  case "$command" in
    "")
      if [[ $before == --store ]]; then _${COMMAND}_offer directory
      else _${COMMAND}_offer ${
    quote(`${names} ${words(GLOBAL_OPTIONS).join(" ")}`)
  }; fi ;;
${COMMANDS.map(commandCase).join("\n")}
  esac
  # The shell replaces what stands behind the last colon.
  if [[ $word == *:* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${word%:*}:"}"); fi
}
complete -F _${COMMAND} ${COMMAND}
`;
}

/** Completions within a command: values of options, options, arguments by their place. */
function commandCase({ name, options, arguments: args }: CommandSpec): string {
  const all = [...GLOBAL_OPTIONS, ...options];
  const values = all.filter((one) => one.value !== undefined).map((one) =>
    `${words([one]).join("|")})${offer(one.completes)} ;;`
  );
  return [
    `    ${name})`,
    '      case "$before" in',
    ...values.map((line) => `        ${line}`),
    '        *) case "$word/$position" in',
    `          -*)${offer(words(all))} ;;`,
    ...args.map((one, i) => `          */${i})${offer(one.completes)} ;;`),
    "        esac ;;",
    "      esac ;;",
  ].join("\n");
}

function offer(kind: Completion | undefined): string {
  return kind === undefined ? "" : ` _${COMMAND}_offer ${quote(kindOf(kind))}`;
}
