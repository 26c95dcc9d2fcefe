/**
 * What a shell offers as the value of an option or argument: `snapshot` is a tag or `latest`,
 * `side` that or a directory, a list its words.
 */
export type Completion =
  | "file"
  | "directory"
  | "command"
  | "tag"
  | "snapshot"
  | "side"
  | readonly string[];

/** An option, as parser, help and completions know it. */
export interface OptionSpec {
  /** The long name, without dashes. */
  readonly name: string;
  /** The short name, one letter. */
  readonly short?: string;
  /** What its value is called; absent for one without value. */
  readonly value?: string;
  /** Whether it may be given more than once. */
  readonly repeats?: true;
  /** What it does. */
  readonly help: string;
  /** The argument that is not given with it. */
  readonly replaces?: string;
  /** What a shell offers as its value; nothing if absent. */
  readonly completes?: Completion;
}

/** An argument that is no option. */
export interface ArgumentSpec {
  /** What it is called, in capitals. */
  readonly name: string;
  /** Whether it may be left out. */
  readonly optional?: true;
  /** Whether it, the last, may be given more than once. */
  readonly repeats?: true;
  /** Whether `--` has to stand before it. */
  readonly isBehindDashes?: true;
  /** What it is. */
  readonly help: string;
  /** What a shell offers; nothing if absent. */
  readonly completes?: Completion;
}

/** A command, as parser, help and completions know it. Its code is `commands/NAME.ts`. */
export interface CommandSpec {
  /** Its name. */
  readonly name: string;
  /** What it does, in half a line. */
  readonly summary: string;
  /** Its arguments. */
  readonly arguments: readonly ArgumentSpec[];
  /** Its options, beside those that all commands have. */
  readonly options: readonly OptionSpec[];
  /** Options that the program gives to itself, when it starts itself again. */
  readonly ownOptions?: readonly OptionSpec[];
  /** What else a user should know, one sentence or two each. */
  readonly notes?: readonly string[];
  /** Command lines without the name of the program, and what each does. */
  readonly examples?: readonly (readonly [line: string, effect: string])[];
}
