/**
 * Values that a shell offers for an option or argument: `snapshot` is a tag or `latest`,
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
  /** Name of its value in help; absent for one without value. */
  readonly value?: string;
  /** Name of a value in help that it may have, behind `=`. */
  readonly optionalValue?: string;
  /** Whether it may be given more than once. */
  readonly repeats?: true;
  /** Its help, in half a line. */
  readonly help: string;
  /** The argument that is not given with it. */
  readonly replaces?: string;
  /** Values that a shell offers; none if absent. */
  readonly completes?: Completion;
}

/** An argument that is no option. */
export interface ArgumentSpec {
  /** Its name in help, in capitals. */
  readonly name: string;
  /** Whether it may be left out. */
  readonly optional?: true;
  /** Whether it, the last, may be given more than once. */
  readonly repeats?: true;
  /** Whether `--` has to stand before it. */
  readonly isBehindDashes?: true;
  readonly help: string;
  /** Values that a shell offers; none if absent. */
  readonly completes?: Completion;
}

/** A command, as parser, help and completions know it. Its code is `commands/NAME.ts`. */
export interface CommandSpec {
  readonly name: string;
  /** Its help, in half a line. */
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  /** Its options, beside those that all commands have. */
  readonly options: readonly OptionSpec[];
  /** Options that the program gives to itself, when it starts itself again. */
  readonly ownOptions?: readonly OptionSpec[];
  /** Notes for the user, one sentence or two each. */
  readonly notes?: readonly string[];
  /** Command lines without the name of the program, and what each does. */
  readonly examples?: readonly (readonly [line: string, effect: string])[];
}
