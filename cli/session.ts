import type { Meter, Pace } from "@snap/store/wrap";
import { escapeInvisible } from "@snap/manifest/path";
import { jsonLine, type JsonRecord } from "./terminal/json_line.ts";
import type { CliContext } from "./context.ts";
import { LineWriter } from "./terminal/line_writer.ts";
import type { ParsedArguments } from "./arguments/parse_arguments.ts";
import { COMMAND } from "./product.ts";
import { type Progress, ProgressLine } from "./terminal/progress_line.ts";

/** Columns of a terminal that does not tell. */
const COLUMNS = 80;
/** How often progress of a store far away is shown anew, in milliseconds. */
const AGAIN_MS = 500;

/** One run of a command: its command line and its output. */
export class Session {
  /** Where the program runs. */
  readonly context: CliContext;
  /** The command line, without the name of the command. */
  readonly args: ParsedArguments;
  /** Whether every line is JSON. */
  readonly isJson: boolean;
  /** Whether to say nothing but errors. */
  readonly isQuiet: boolean;
  /** Whether to say more. */
  readonly isVerbose: boolean;
  /** Ends the command. */
  readonly signal: AbortSignal;
  /** Counters of requests to a store far away, where the command uses one. */
  meter: Meter | undefined;
  /** The rate that all stores far away keep together, once one of them has it. */
  pace: Pace | undefined;
  readonly #results: LineWriter;
  readonly #progress: ProgressLine;
  #told: Promise<void> = Promise.resolve();
  #progressMs = -Infinity;
  #again: ReturnType<typeof setInterval> | undefined;

  constructor(context: CliContext, args: ParsedArguments) {
    this.context = context;
    this.args = args;
    this.isJson = args.has("json");
    this.isQuiet = args.has("quiet");
    this.isVerbose = args.has("verbose");
    this.signal = context.signal ?? new AbortController().signal;
    this.#results = new LineWriter(context.stdout);
    this.#progress = new ProgressLine(
      (text) => this.#tell(text),
      () => context.stderr.columns?.() ?? COLUMNS,
    );
  }

  /** Whether a person watches: stderr is a terminal, and there is no `--quiet`. */
  get isWatched(): boolean {
    return this.context.stderr.isTerminal && !this.isQuiet && !this.isJson;
  }

  /** Whether tables are for people: aligned, short, with a header. */
  get isForPeople(): boolean {
    return this.context.stdout.isTerminal && !this.isJson;
  }

  /** Columns that results have on a terminal; without end where they need not fit one. */
  get width(): number {
    const { stdout } = this.context;
    return this.isForPeople ? stdout.columns?.() ?? COLUMNS : Infinity;
  }

  /** Whether there may be colours. */
  get hasColor(): boolean {
    return this.isForPeople && !this.args.has("no-color") &&
      (this.context.env("NO_COLOR") ?? "") === "" &&
      this.context.env("TERM") !== "dumb";
  }

  /** Writes a result: a line of text, or of JSON. */
  async result(text: string, record: JsonRecord): Promise<void> {
    await this.#results.write(this.isJson ? jsonLine(record) : `${text}\n`);
  }

  /**
   * Writes a part of a result as it is.
   *
   * @param part Text, or bytes.
   */
  async raw(part: string | Uint8Array): Promise<void> {
    if (typeof part === "string") await this.#results.write(part);
    else await this.#results.writeBytes(part);
  }

  /** Writes what was gathered of the result, after what was said before it: a terminal shows both. */
  async flush(): Promise<void> {
    await this.#told;
    try {
      await this.#results.flush();
    } finally {
      await this.#told;
    }
  }

  /** Says what only matters to someone who watches, or asked to hear more. */
  note(message: string): void {
    if (this.isWatched || this.isVerbose) this.say(message);
  }

  /** Says what is no warning, and everybody should know all the same, also in pipes. */
  say(message: string): void {
    if (this.isQuiet) return;
    this.#line(escapeInvisible(message), { type: "note", message });
  }

  /** Says what only matters to someone who asked to hear more. */
  detail(message: string): void {
    if (this.isVerbose) this.note(message);
  }

  /** Says what everybody should know. */
  warn(message: string, fields: Record<string, unknown> = {}): void {
    if (this.isQuiet) return;
    const record = { type: "warning", message, ...fields };
    this.#line(`${COMMAND}: ${escapeInvisible(message)}`, record);
  }

  /** Says what went wrong. */
  error(message: string, fields: Record<string, unknown> = {}): void {
    const { hint } = fields;
    const text = `${COMMAND}: ${escapeInvisible(message)}`;
    const more = hint === undefined
      ? ""
      : `\n  hint: ${escapeInvisible(String(hint))}`;
    this.#line(text + more, { type: "error", message, ...fields });
  }

  /** Shows how far the work is: on a terminal, or as JSON. */
  progress(done: Progress): void {
    const { meter } = this;
    if (meter === undefined) return this.#show(done);
    clearInterval(this.#again);
    const show = () =>
      this.#show({
        ...done,
        sentByteCount: meter.bytesOut,
        receivedByteCount: meter.bytesIn,
      });
    show();
    // What is on its way goes on when all that was to be read has been.
    this.#again = setInterval(show, AGAIN_MS);
  }

  #show(progress: Progress): void {
    if (this.isWatched) this.#progress.update(progress);
    if (!this.isJson || this.isQuiet) return;
    const ms = performance.now();
    if (ms - this.#progressMs < 100) return;
    this.#progressMs = ms;
    this.#tell(jsonLine({ type: "progress", ...progress }));
  }

  /** Takes the line away that shows how far the work is. */
  clearProgress(): void {
    clearInterval(this.#again);
    this.#progress.clear();
  }

  #line(text: string, record: JsonRecord): void {
    this.#progress.clear();
    this.#tell(this.isJson ? jsonLine(record) : `${text}\n`);
  }

  /** Writes in order, and never fails: a closed stderr is no error. */
  #tell(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#told = this.#told
      .then(() => this.context.stderr.write(bytes))
      .catch(() => {});
  }
}
