import type { CliContext } from "./context.ts";
import { COMMANDS, findCommand } from "./arguments/command_table.ts";
import type { CommandSpec } from "./arguments/command_spec.ts";
import { loadLate } from "./load_late.ts";
import { ExitCode } from "./exit_code.ts";
import { GLOBAL_OPTIONS } from "./arguments/global_options.ts";
import { nearest } from "./arguments/nearest.ts";
import {
  parseArguments,
  ParsedArguments,
} from "./arguments/parse_arguments.ts";
import { COMMAND } from "./product.ts";
import { Session } from "./session.ts";
import { UsageError } from "./arguments/usage_error.ts";

/** The code of a command. */
interface CommandModule {
  /** Runs the command; returns the answer to the shell. */
  run(session: Session): Promise<number>;
}

/** A command line that was taken apart. */
interface Chosen {
  readonly spec: CommandSpec;
  readonly args: ParsedArguments;
}

/** Finds the command that a command line names, and runs it. */
export async function runCommand(
  args: readonly string[],
  context: CliContext,
): Promise<number> {
  let session = new Session(context, roughArguments(args));
  try {
    const { spec, args: parsed } = await choose(args);
    session = new Session(context, parsed);
    const { run } = await loadLate(`commands/${spec.name}`) as CommandModule;
    session.signal.throwIfAborted();
    const code = await run(session);
    session.clearProgress();
    await session.flush();
    return code;
  } catch (error) {
    session.clearProgress();
    if (error instanceof Error && error.name === "ClosedPipeError") {
      return ExitCode.done;
    }
    const { explainError } = await import("./terminal/explain_error.ts");
    const { message, exitCode, ...fields } = explainError(error, session);
    if (message !== undefined) session.error(message, { exitCode, ...fields });
    await session.flush().catch(() => {});
    return exitCode;
  }
}

/** Arguments of a command line that may not parse, as far as they can be told. */
function roughArguments(
  args: readonly string[],
  positionals: readonly string[] = [],
): ParsedArguments {
  const rest = args.indexOf("--");
  const options = rest < 0 ? args : args.slice(0, rest);
  const names = ["json", "verbose", "quiet"];
  const given = names.filter((name) => options.includes(`--${name}`));
  return new ParsedArguments(
    positionals,
    new Map(given.map((name) => [name, [""]])),
  );
}

async function choose(args: readonly string[]): Promise<Chosen> {
  const before = parseArguments(args, GLOBAL_OPTIONS, {
    stopsAtPositional: true,
  });
  const help = findCommand("help")!;
  const [name, ...rest] = before.positionals;
  if (name === undefined) {
    if (before.has("version")) {
      return { spec: findCommand("version")!, args: before };
    }
    if (before.has("help")) return { spec: help, args: before };
    throw new UsageError(
      "Cannot tell what to do: there is no command",
      `${COMMAND} --help lists the commands`,
    );
  }
  const spec = findCommand(name);
  if (spec === undefined) throw await unknownCommand(name);
  const flags = args.slice(0, args.length - rest.length - 1);
  const { options: some, ownOptions = [] } = spec;
  const options = [...GLOBAL_OPTIONS, ...some, ...ownOptions];
  const helpOfIt = { spec: help, args: roughArguments(args, [name]) };
  if (wantsHelp(flags, rest)) return helpOfIt;
  const parsed = parseArguments([...flags, ...rest], options);
  if (parsed.has("help")) return helpOfIt;
  if (parsed.has("version")) {
    return { spec: findCommand("version")!, args: parsed };
  }
  checkCount(spec, parsed);
  return { spec, args: parsed };
}

/** Help is shown also when something else is wrong. */
function wantsHelp(...parts: (readonly string[])[]): boolean {
  return parts.some((part) => {
    const end = part.indexOf("--");
    const options = end < 0 ? part : part.slice(0, end);
    return options.includes("--help") || options.includes("-h");
  });
}

async function unknownCommand(name: string): Promise<UsageError> {
  const { ABSENT_WORDS, OTHER_WORDS } = await import(
    "./arguments/other_words.ts"
  );
  const message = `Cannot run ${
    JSON.stringify(name)
  }: there is no such command`;
  if (Object.hasOwn(ABSENT_WORDS, name)) {
    return new UsageError(message, ABSENT_WORDS[name]);
  }
  const near = Object.hasOwn(OTHER_WORDS, name)
    ? OTHER_WORDS[name]
    : nearest(name, COMMANDS.map((one) => one.name));
  return new UsageError(
    message,
    near === undefined
      ? `${COMMAND} --help lists the commands`
      : `did you mean ${COMMAND} ${near}?`,
  );
}

function checkCount(spec: CommandSpec, parsed: ParsedArguments): void {
  const { positionals, beforeDashesCount } = parsed;
  const replaced = spec.options.filter((one) => parsed.has(one.name))
    .map((one) => one.replaces);
  const wanted = spec.arguments.filter((one) => !replaced.includes(one.name));
  const missing = wanted.slice(positionals.length)
    .find((one) => one.optional !== true);
  const hint = `${COMMAND} ${spec.name} --help shows how`;
  if (missing !== undefined) {
    throw new UsageError(
      `Cannot run ${COMMAND} ${spec.name}: ${missing.name} is missing`,
      hint,
    );
  }
  const behind = wanted.findIndex((one) => one.isBehindDashes);
  if (behind >= 0 && beforeDashesCount > behind) {
    throw new UsageError(
      `Cannot run ${COMMAND} ${spec.name}: -- belongs before ${
        wanted[behind].name
      }`,
      hint,
    );
  }
  if (positionals.length <= wanted.length || wanted.at(-1)?.repeats) return;
  const extra = JSON.stringify(positionals[wanted.length]);
  throw new UsageError(
    `Cannot run ${COMMAND} ${spec.name}: ${
      wanted.length === 0
        ? "it takes no argument"
        : `it takes ${wanted.map((one) => one.name).join(" and ")}`
    }, and ${extra} is one more`,
    spec.name === "save"
      ? "one snapshot is of one directory: save the one that holds both"
      : hint,
  );
}
