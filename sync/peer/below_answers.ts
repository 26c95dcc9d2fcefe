import type { NamedRecord } from "@snap/snapshot/records";
import { SyncError } from "../errors.ts";
import {
  type Message,
  type Section,
  SectionKind,
  sectionOf,
  Verb,
} from "../protocol/message.ts";
import { fieldsSection, idsSection, readFields } from "../protocol/sections.ts";
import { nameRows } from "./name_rows.ts";
import { isSessionOver, type RemoteConnection } from "./remote_connection.ts";

/** Plain bytes of an answer. */
const ANSWER_SIZE = 16 << 20;
/** Plain bytes of small contents that come with directories. */
const CONTENTS_SIZE = 1 << 20;
/** Objects below a record for each entry that it has: a tree, a page, a content, some attributes. */
const OBJECTS_AN_ENTRY = 8;
/** How often it is begun again. */
const BEGINNINGS_MAX = 8;

/** Asks a server for what is below records, one answer ahead of who takes them. */
export class BelowAnswers implements AsyncDisposable {
  /** Objects that answers may have yet. */
  objectsLeft: number;
  /** Whether the last answer was taken. */
  isDone = false;
  readonly #connection: RemoteConnection;
  readonly #asked: readonly Section[];
  readonly #objectsMax: number;
  #beginnings = 0;
  #next: Promise<Message>;

  /**
   * Asks for the first answer.
   *
   * @param connection The server.
   * @param records The records.
   * @param bases What stands in them at the same place is left out.
   */
  constructor(
    connection: RemoteConnection,
    records: readonly NamedRecord[],
    bases: readonly NamedRecord[],
  ) {
    this.#connection = connection;
    this.#asked = [
      fieldsSection({ want: "below", contents: CONTENTS_SIZE }),
      idsSection(nameRows(records)),
      idsSection(nameRows(bases), SectionKind.bases),
    ];
    this.#objectsMax = OBJECTS_AN_ENTRY * records.reduce(
      (sum, { totals }) => sum + totals.entryCount + 1,
      0,
    );
    this.objectsLeft = this.#objectsMax;
    this.#next = this.#ask([]);
  }

  /**
   * Takes the next answer.
   *
   * @returns The answer.
   * @throws {SyncError} If it does not say how to go on.
   */
  async next(): Promise<Message> {
    const answer = await this.#next.catch((error) => this.#begin(error));
    this.isDone = readFields(sectionOf(answer, SectionKind.fields))
      .flag("isDone");
    if (this.isDone) return answer;
    const cursor = sectionOf(answer, SectionKind.cursor);
    if (cursor === undefined) {
      throw new SyncError(
        `Cannot trust ${this.#connection.location} as it must send what it was asked for: found an answer that leads nowhere`,
        { code: "LYING" },
      );
    }
    this.#next = this.#ask([{ ...cursor, bytes: cursor.bytes.slice() }]);
    return answer;
  }

  /** Begins again where a server that was started anew does not know how to go on. */
  async #begin(error: unknown): Promise<Message> {
    if (!isSessionOver(error) || this.#beginnings++ >= BEGINNINGS_MAX) {
      throw error;
    }
    this.objectsLeft = this.#objectsMax;
    return await this.#ask([]);
  }

  /** Waits for the answer that nobody takes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#next.catch(() => {});
  }

  #ask(cursor: readonly Section[]): Promise<Message> {
    const sections = [...this.#asked, ...cursor];
    const answer = this.#connection.ask(Verb.get, sections, ANSWER_SIZE);
    answer.catch(() => {}); // Whoever takes it is told.
    return answer;
  }
}
