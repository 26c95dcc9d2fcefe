import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import type { AccessLine } from "@snap/store/serve";
import { CommandError } from "../command_error.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import { accessText } from "./serve_limits.ts";
import type { Session } from "../session.ts";

/** Lines that wait for a disk that is too slow; those above it are counted, not kept. */
const WAITING_SIZE_MAX = 1 << 20;

/** A file that gets a line for each request. */
export class AccessLog {
  readonly #stream: WriteStream;
  readonly #session: Session;
  #lostCount = 0;
  #isBroken = false;

  private constructor(stream: WriteStream, session: Session) {
    this.#stream = stream;
    this.#session = session;
    stream.on("error", (error) => {
      if (!this.#isBroken) {
        session.warn(`Cannot write the access log: ${error.message}`);
      }
      this.#isBroken = true;
    });
  }

  /**
   * Opens the file that `--access-log` names, to write at its end.
   *
   * @throws {CommandError} If it cannot be written.
   */
  static async open(session: Session): Promise<AccessLog | undefined> {
    const name = session.args.text("access-log");
    if (name === undefined) return undefined;
    const path = await resolvePath(session, name);
    const stream = createWriteStream(path, { flags: "a", mode: 0o600 });
    try {
      await once(stream, "open");
    } catch (cause) {
      throw new CommandError(
        `Cannot open access log ${path}: ${(cause as Error).message}`,
      );
    }
    return new AccessLog(stream, session);
  }

  /** Writes a line. What a slow disk does not take is lost, and told at the end. */
  write(line: AccessLine): void {
    if (this.#isBroken) return;
    if (this.#stream.writableLength > WAITING_SIZE_MAX) {
      this.#lostCount++;
      return;
    }
    this.#stream.write(accessText(line, new Date(), this.#session.isJson));
  }

  /** Waits until all lines are written. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#isBroken) return resolve();
      this.#stream.once("error", () => resolve());
      this.#stream.end(resolve);
    });
    if (this.#lostCount === 0) return;
    this.#session.warn(
      `Left ${this.#lostCount} lines out of the access log: its disk is too slow`,
    );
  }
}
