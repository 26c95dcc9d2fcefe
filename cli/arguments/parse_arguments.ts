import type { OptionSpec } from "./command_spec.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** A parsed command line. */
export class ParsedArguments {
  /** Arguments that are no option, in order. */
  readonly positionals: readonly string[];
  /** How many of them stand before `--`; all of them where it is absent. */
  readonly beforeDashesCount: number;
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(
    positionals: readonly string[],
    values: ReadonlyMap<string, readonly string[]>,
    beforeDashesCount: number = positionals.length,
  ) {
    this.positionals = positionals;
    this.beforeDashesCount = beforeDashesCount;
    this.#values = values;
  }

  /** Whether an option was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /**
   * The value of an option.
   *
   * @returns The value, or `undefined` if it was not given.
   */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /**
   * All values of an option that repeats.
   *
   * @returns The values, in order.
   */
  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /**
   * The value of an option that is a whole number.
   *
   * @returns The number, or `undefined` if it was not given.
   * @throws {UsageError} If it is no number from 0 to `max`.
   */
  number(name: string, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value <= max)) {
      throw new UsageError(
        `Cannot use --${name} ${
          JSON.stringify(text)
        }: it takes a number from 0 to ${max}`,
      );
    }
    return value;
  }
}

/** Options of {@linkcode parseArguments}. */
export interface ParseOptions {
  /** Whether to stop at the first argument that is no option. */
  readonly stopsAtPositional?: boolean;
}

/** A parse under way. */
class Parser {
  readonly positionals: string[] = [];
  readonly values: Map<string, string[]> = new Map();
  beforeDashesCount: number | undefined;
  readonly #args: readonly string[];
  readonly #options: readonly OptionSpec[];
  #at = 0;

  constructor(args: readonly string[], options: readonly OptionSpec[]) {
    this.#args = args;
    this.#options = options;
  }

  run(stopsAtPositional: boolean): void {
    for (; this.#at < this.#args.length; this.#at++) {
      const arg = this.#args[this.#at];
      if (arg === "--" && !stopsAtPositional) {
        this.beforeDashesCount = this.positionals.length;
        this.positionals.push(...this.#args.slice(this.#at + 1));
        return;
      }
      if (arg.startsWith("--")) this.#long(arg.slice(2));
      else if (arg.length > 1 && arg[0] === "-") this.#short(arg.slice(1));
      else if (stopsAtPositional) {
        this.positionals.push(...this.#args.slice(this.#at));
        return;
      } else this.positionals.push(arg);
    }
  }

  #long(text: string): void {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const option = this.#options.find((one) => one.name === name);
    if (option === undefined) throw this.#unknown(`--${name}`, name);
    if (option.value !== undefined) {
      const value = equals < 0 ? this.#next(option) : text.slice(equals + 1);
      this.#add(option, value);
    } else if (equals < 0) this.#add(option, "");
    else if (option.optionalValue !== undefined) {
      this.#add(option, text.slice(equals + 1));
    } else {
      throw new UsageError(`Cannot use --${text}: --${name} takes no value`);
    }
  }

  /** Letters of options without value may stand together, the last may have one. */
  #short(letters: string): void {
    for (let i = 0; i < letters.length; i++) {
      const option = this.#options.find((one) => one.short === letters[i]);
      if (option === undefined) {
        throw this.#unknown(`-${letters[i]}`, letters[i]);
      }
      if (option.value === undefined) {
        this.#add(option, "");
        continue;
      }
      const rest = letters.slice(i + 1);
      this.#add(option, rest === "" ? this.#next(option) : rest);
      return;
    }
  }

  #next(option: OptionSpec): string {
    const value = this.#args[++this.#at];
    if (value !== undefined) return value;
    throw new UsageError(
      `Cannot use --${option.name} without a value: ${option.value}`,
    );
  }

  #add(option: OptionSpec, value: string): void {
    const values = this.values.get(option.name) ?? [];
    if (
      values.length > 0 && option.value !== undefined && option.repeats !== true
    ) {
      throw new UsageError(
        `Cannot use --${option.name} twice: it has one value`,
      );
    }
    values.push(value);
    this.values.set(option.name, values);
  }

  #unknown(shown: string, name: string): UsageError {
    const names = this.#options.map((one) => one.name);
    const near = name.length > 1 ? nearest(name, names) : undefined;
    return new UsageError(
      `Cannot use ${shown}: there is no such option`,
      near && `did you mean --${near}?`,
    );
  }
}

/**
 * Parses a command line: `--name value`, `--name=value`, `-n value`, `-nvalue`,
 * letters together (`-lR`), and `--`, after which nothing is an option.
 *
 * @example Options and the rest
 * ```ts
 * import { parseArguments } from "./parse_arguments.ts";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * const options = [{ name: "tag", value: "NAME", help: "" }, { name: "long", short: "l", help: "" }];
 * const parsed = parseArguments(["-l", "--tag=main", "folder"], options);
 * strictEqual(parsed.text("tag"), "main");
 * deepStrictEqual(parsed.positionals, ["folder"]);
 * ```
 *
 * @throws {UsageError} If an option is unknown, or misses its value, or has one too many.
 */
export function parseArguments(
  args: readonly string[],
  options: readonly OptionSpec[],
  how: ParseOptions = {},
): ParsedArguments {
  const parser = new Parser(args, options);
  parser.run(how.stopsAtPositional ?? false);
  const { positionals, values, beforeDashesCount } = parser;
  return new ParsedArguments(positionals, values, beforeDashesCount);
}
