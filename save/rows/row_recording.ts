import type { RecordedDirectory, RowRecorder } from "../walk/row_recorder.ts";
import type { RowWriter } from "./row_writer.ts";

/** Rows that a walk gives as it goes. That they cannot be written is no fault of the walk. */
export class RowRecording implements RowRecorder {
  readonly #writer: RowWriter;
  #hasFailed = false;

  /**
   * Takes down nothing yet.
   */
  constructor(writer: RowWriter) {
    this.#writer = writer;
  }

  /** Whether rows are missing. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** @inheritDoc */
  begin(directory: RecordedDirectory | undefined): void {
    this.#try(() => this.#writer.begin(directory));
  }

  /** @inheritDoc */
  add(directory: RecordedDirectory, row: number): void {
    this.#try(() => this.#writer.add(directory, row));
  }

  /** @inheritDoc */
  end(): void {
    this.#try(() => this.#writer.end());
  }

  #try(write: () => void): void {
    if (this.#hasFailed) return;
    try {
      write();
    } catch {
      this.#hasFailed = true;
    }
  }
}
