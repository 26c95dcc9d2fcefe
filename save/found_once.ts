import type { NamedRecord } from "@snap/snapshot/records";
import type {
  ChangeFinder,
  ChangeSearch,
  FoundChanges,
  SeenSave,
} from "./change_finder.ts";
import type { SaveOptions } from "./options.ts";

/** Changes of the source of one save, which are looked for once, when the record before is known. */
export class FoundOnce implements AsyncDisposable {
  readonly #finder: ChangeFinder | undefined;
  readonly #search: Omit<ChangeSearch, "previous">;
  #found: Promise<FoundChanges> | undefined;

  /**
   * Looks for nothing yet.
   *
   * @param options The finder, if there is one.
   * @param search When the save was begun, and how to open its source.
   */
  constructor(
    { changes, overlay, trustStat = false, signal }: SaveOptions,
    search: Pick<ChangeSearch, "startMs" | "openSource">,
  ) {
    this.#finder = overlay === undefined ? changes : undefined;
    this.#search = { ...search, trustStat, signal };
  }

  /** Whether anybody looks. */
  get canFind(): boolean {
    return this.#finder !== undefined;
  }

  /**
   * Looks for changes, the first time.
   *
   * @param previous The newest record of the source.
   * @returns What was found; `undefined` where nobody looks.
   */
  async find(
    previous: NamedRecord | undefined,
  ): Promise<FoundChanges | undefined> {
    this.#found ??= this.#finder?.find({ ...this.#search, previous });
    return await this.#found;
  }

  /** Tells the finder what the save has come to. */
  async keep(seen: SeenSave): Promise<void> {
    const found = await this.#found;
    await found?.keep?.(seen);
  }

  /** Ends what was found. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever looked was told of a failure.
    const found = await this.#found?.catch(() => undefined);
    await found?.[Symbol.asyncDispose]();
  }
}
