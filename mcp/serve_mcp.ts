import process from "node:process";
import type { Readable, Writable } from "node:stream";
import {
  serveStdio,
  StdioServerTransport,
} from "@modelcontextprotocol/server/stdio";
import { MESSAGE_SIZE_MAX } from "./limits.ts";
import { makeServer, type ServerIdentity } from "./make_server.ts";
import { Roots } from "./roots/roots.ts";
import { Service, type ServiceOptions } from "./service.ts";

/** How {@linkcode serveMcp} serves. */
export interface ServeMcpOptions extends Omit<ServiceOptions, "roots"> {
  /** Directories in which tools may work: absolute paths. */
  readonly roots: readonly string[];
  /** The name and version that clients see. */
  readonly identity: ServerIdentity;
  /** Ends the server. */
  readonly signal: AbortSignal;
  /** Told of what clients did that was no call. */
  readonly onError?: (error: Error) => void;
  /** Where messages come from; standard input if absent. */
  readonly input?: Readable;
  /** Where messages go; standard output if absent. */
  readonly output?: Writable;
}

/**
 * Serves snapshots to the client at the other end of standard input and output, by the Model
 * Context Protocol, until the client or the signal ends it. What is at work then is ended, too,
 * and waited for.
 *
 * @param options What is served, and to whom.
 * @throws {Error} If a root is no directory.
 */
export async function serveMcp(options: ServeMcpOptions): Promise<void> {
  const { roots: paths, identity, signal, onError, input, output, ...rest } =
    options;
  signal.throwIfAborted();
  const service = new Service({ ...rest, roots: await Roots.open(paths) });
  const transport = new ClosingTransport(input, output);
  const handle = serveStdio(() => makeServer(service, identity), {
    transport,
    ...onError && { onerror: onError },
  });
  const end = (): void => void handle.close();
  signal.addEventListener("abort", end);
  try {
    if (signal.aborted) end();
    await transport.closed;
    await handle.close();
  } finally {
    signal.removeEventListener("abort", end);
    await service[Symbol.asyncDispose]();
  }
}

/** Standard input and output, and a promise that tells when the client has gone. */
class ClosingTransport extends StdioServerTransport {
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
  readonly #close: () => void;

  constructor(input: Readable | undefined, output: Writable | undefined) {
    super(input ?? process.stdin, output ?? process.stdout, {
      maxBufferSize: MESSAGE_SIZE_MAX,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#close = resolve;
  }

  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#close();
    }
  }
}
