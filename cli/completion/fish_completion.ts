import type {
  CommandSpec,
  Completion,
  OptionSpec,
} from "../arguments/command_spec.ts";
import { COMMANDS } from "../arguments/command_table.ts";
import { kindOf, quote, valueWords } from "./completion_words.ts";
import { GLOBAL_OPTIONS } from "../arguments/global_options.ts";
import { COMMAND } from "../product.ts";

/** Kinds that a function of the script lists. */
const LISTED: readonly unknown[] = ["tag", "snapshot", "side"];

/** Writes the completions of fish. */
export function fishCompletion(): string {
  return `# fish completion of ${COMMAND}
function __${COMMAND}_at
  set -l words (commandline -opc)[2..]
  set -l seen
  while set -q words[1]
    switch $words[1]
      case --store ${valueWords().join(" ")}
        set -e words[1]
      case '-*'
      case '*'
        set -a seen $words[1]
    end
    set -e words[1]
  end
  test "$seen[1]" = "$argv[1]"; or return 1
  test -z "$argv[2]"; or test (count $seen) -eq $argv[2]
end
function __${COMMAND}_tags
  set -l words (commandline -opc)
  set -l store (string match -- '--store=*' $words)
  if set -l place (contains -i -- --store $words)
    set store --store $words[(math $place + 1)]
  end
  ${COMMAND} $store tag 2>/dev/null | cut -f1
end
function __${COMMAND}_snapshots
  echo latest
  __${COMMAND}_tags
end
function __${COMMAND}_sides
  __${COMMAND}_snapshots
  __fish_complete_directories
end
complete -c ${COMMAND} -e
complete -c ${COMMAND} -f
${
    [
      ...GLOBAL_OPTIONS.map((one) => optionLine(one, "")),
      ...COMMANDS.flatMap(commandLines),
    ].join("\n")
  }
`;
}

function commandLines(command: CommandSpec): string[] {
  const { name, summary, options, arguments: args } = command;
  const about = `-a ${name} -d ${quote(summary)}`;
  return [
    `complete -c ${COMMAND}${at("")} ${about}`,
    ...options.map((one) => optionLine(one, at(name))),
    ...args.map(({ completes }, i) =>
      `complete -c ${COMMAND}${at(`${name} ${i + 1}`)}${offer(completes)}`
    ),
  ];
}

function optionLine(one: OptionSpec, condition: string): string {
  const short = one.short === undefined ? "" : ` -s ${one.short}`;
  const value = one.value === undefined ? "" : offer(one.completes);
  const help = ` -d ${quote(one.help)}`;
  return `complete -c ${COMMAND}${condition} -l ${one.name}${short}${value}${help}`;
}

/** The condition that the command, and the place of its argument, are these. */
function at(place: string): string {
  return ` -n ${quote(`__${COMMAND}_at ${place}`.trimEnd())}`;
}

function offer(kind: Completion | undefined): string {
  if (kind === undefined) return " -x";
  if (kind === "file") return " -r -F";
  const list = kind === "directory"
    ? "(__fish_complete_directories)"
    : LISTED.includes(kind)
    ? `(__${COMMAND}_${kind}s)`
    : kindOf(kind);
  return ` -x -a ${quote(list)}`;
}
