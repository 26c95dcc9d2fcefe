import { orAborted } from "../or_aborted.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import type { Timing } from "../wrap/timing.ts";
import { type Channel, SftpConnection } from "./connection.ts";
import { Folders } from "./folders.ts";
import { OpenFiles } from "./open_files.ts";
import { Publisher } from "./publisher.ts";
import { SftpSession } from "./sftp_session.ts";
import { hasStatus, STATUS } from "./status_error.ts";

/** The first name of a store, which never goes. */
const WITNESS = "config/1";
/** How long a server may take to end when its pipe is closed, in milliseconds. */
const GRACE_MS = 5000;

/** Knowledge of a server as long as one connection lasts. */
export interface Server {
  readonly session: SftpSession;
  readonly files: OpenFiles;
  readonly folders: Folders;
  readonly publisher: Publisher;
}

/** Parts of {@link Servers}. */
export interface ServersParts {
  /** Starts what answers. */
  readonly connect: () => Promise<Channel>;
  /** The path of the store there. */
  readonly root: string;
  readonly location: string;
  readonly isSingleWriter: boolean;
  readonly stallMs: number;
  readonly timing: Timing;
}

interface Begun {
  readonly connection: SftpConnection;
  readonly server: Server;
}

/** The server of a store: one connection, and another one when that has ended. */
export class Servers {
  readonly #parts: ServersParts;
  readonly #closing = new Set<Promise<void>>();
  #begun: Promise<Begun> | undefined;
  #current: SftpConnection | undefined;
  #starting: SftpConnection | undefined;
  #hasWitness = false;
  #isClosed = false;

  constructor(parts: ServersParts) {
    this.#parts = parts;
  }

  /** The server, which is connected to if it is not. */
  async get(signal?: AbortSignal): Promise<Server> {
    signal?.throwIfAborted();
    if (this.#isClosed) {
      throw new RemoteError(
        `Cannot reach ${this.#parts.location}: it is closed`,
        {
          code: "ECLOSED",
          action: "open",
        },
      );
    }
    if (this.#current?.hasEnded) {
      this.#discard(this.#current);
      this.#begun = this.#current = undefined;
    }
    const begun = this.#begun ??= this.#begin();
    begun.catch(() => {
      if (this.#begun === begun) this.#begun = undefined;
    });
    return (await orAborted(begun, signal)).server;
  }

  /**
   * Refuses to call a name absent because the store is: its disk may be gone.
   *
   * @param server The server that has said so.
   */
  async checkThere(server: Server, signal?: AbortSignal): Promise<void> {
    const { location } = this.#parts;
    try {
      await server.session.stat(server.folders.path(WITNESS), signal);
      this.#hasWitness = true;
    } catch (error) {
      if (!hasStatus(error, STATUS.noSuchFile)) throw error;
      if (!this.#hasWitness) return;
      throw new RemoteError(
        `Cannot find ${location}: it was there and is gone, as if its disk were (ESTALE)`,
        { code: "ESTALE", action: "find", cause: error },
      );
    }
  }

  /** Ends the connection, when what was asked is answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#starting?.abandon();
    const begun = await this.#begun?.catch(() => undefined);
    if (begun !== undefined) this.#discard(begun.connection);
    await Promise.all(this.#closing);
  }

  async #begin(): Promise<Begun> {
    const { connect, root, location, isSingleWriter, stallMs, timing } =
      this.#parts;
    const channel = await connect();
    const connection = new SftpConnection({
      channel,
      location,
      stallMs,
      timing,
    });
    this.#starting = connection;
    try {
      if (this.#isClosed) connection.abandon();
      const session = await SftpSession.begin(connection);
      const files = new OpenFiles(session);
      const folders = new Folders(files, root);
      const publisher = new Publisher(session, folders, isSingleWriter);
      const server = { session, files, folders, publisher };
      await this.checkThere(server);
      this.#current = connection;
      return { connection, server };
    } catch (error) {
      await connection.close(0);
      throw error;
    } finally {
      this.#starting = undefined;
    }
  }

  #discard(connection: SftpConnection): void {
    const closing = connection.close(GRACE_MS)
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
