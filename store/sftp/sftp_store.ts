/**
 * A store on another host that has nothing but SFTP.
 *
 * @module
 */
import { StoreError } from "../errors.ts";
import { switchOf } from "../switch_of.ts";
import { parseSshAddress, type SshAddress } from "../ssh/ssh_address.ts";
import { sshCommand } from "../ssh/ssh_command.ts";
import { startChild } from "../ssh/child.ts";
import type { AdoptStore, StoreOptions } from "../store.ts";
import { Limiter } from "../wrap/limiter.ts";
import { Meter } from "../wrap/meter.ts";
import type { RetryOptions } from "../wrap/retry.ts";
import { RetryStore } from "../wrap/retry_store.ts";
import { systemTiming, type Timing } from "../wrap/timing.ts";
import type { Channel } from "./connection.ts";
import { Servers } from "./server.ts";
import { ServerStore } from "./server_store.ts";
import { Transfer } from "./transfer.ts";

/** How long a server may say nothing while something is asked, in milliseconds: a disk may take long to sync. */
const STALL_MS = 60_000;
const SINGLE_WRITER = "single-writer";

/** Options of {@link openSftpStore}. */
export interface SftpStoreOptions extends StoreOptions {
  /** Program and arguments that speak SFTP on a pipe. Default: the user's `ssh`, to the host of the address. */
  readonly command?: readonly string[];
  /** Program and arguments in the place of `ssh`. */
  readonly ssh?: readonly string[];
  /** Whether nobody else writes, so that a server which replaces what is there will do. Default: false. */
  readonly singleWriter?: boolean;
  /** The folder for files that wait for their upload. Default: one in the user's cache. */
  readonly spoolFolder?: string;
  /** The environment, which tells the user's cache. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Limit of requests and bytes, which several stores may share. Default: one of its own. */
  readonly limiter?: Limiter;
  /** Counters of calls and bytes. Default: own ones. */
  readonly meter?: Meter;
  /** How often a call is repeated. */
  readonly retry?: RetryOptions;
  /** How long a server may say nothing, in milliseconds. Default: 60,000. */
  readonly stallMs?: number;
  /** The clock and the chance. Default: those of the system. */
  readonly timing?: Timing;
}

/** A store on a server of SFTP. Disposing of it ends the connection. */
export interface SftpStore extends AdoptStore, AsyncDisposable {
  /** Where it is, without passwords: for messages. */
  readonly location: string;
  /** Counters of requests so far. */
  readonly meter: Meter;
  /** Whether what is created is durable: not every server has the means to say so. */
  readonly isDurable: boolean;

  /**
   * Finds out whether the server can create a name only if it is absent, without
   * which two writers destroy what the other wrote. Leaves nothing behind.
   *
   * @param options A signal.
   * @throws {StoreError} With code `NO_CONDITION` if it cannot, and nobody said
   * that there is a single writer.
   */
  probe(options?: StoreOptions): Promise<void>;
}

/**
 * Opens a store on a server of SFTP: `sftp://[USER@]HOST[:PORT]/PATH`, where
 * `/~/PATH` is below the home of the user. It is a folder there like any that
 * `openFileStore` opens. `?single-writer` says that nobody else writes.
 *
 * @example A store that rclone reaches
 * ```ts ignore
 * import { openSftpStore } from "@snap/store/sftp";
 *
 * const store = await openSftpStore("sftp:///?single-writer", {
 *   command: ["rclone", "serve", "sftp", "--stdio", "remote:snaps"],
 * });
 * ```
 *
 * @param url The address. With a command its host is for messages only.
 * @param options A command, limits, a signal that ends the opening.
 * @returns The store, connected.
 * @throws {StoreError} If the address is none, or the server cannot be reached.
 */
export async function openSftpStore(
  url: string,
  options: SftpStoreOptions = {},
): Promise<SftpStore> {
  const address = parseSshAddress(url);
  const command = options.command ??
    sshCommand(address, { subsystem: "sftp" }, options.ssh);
  const connect = () => startChild(command, address.location);
  return await openOverChannels(address, connect, options);
}

/** Opens a store over connections that a test may make itself. */
export async function openOverChannels(
  address: SshAddress,
  connect: () => Promise<Channel>,
  options: SftpStoreOptions,
): Promise<SftpStore> {
  const { timing = systemTiming, signal } = options;
  const meter = options.meter ?? new Meter();
  const servers = new Servers({
    connect,
    root: address.path,
    location: address.location,
    isSingleWriter: options.singleWriter ?? isSingleWriter(address),
    stallMs: options.stallMs ?? STALL_MS,
    timing,
  });
  const retry: RetryOptions = {
    timing,
    ...options.retry,
    onRetry: (error, pauseMs) => {
      meter.retries++;
      options.retry?.onRetry?.(error, pauseMs);
    },
  };
  try {
    const { session } = await servers.get(signal);
    const inner = new ServerStore({
      servers,
      transfer: new Transfer(options.limiter ?? new Limiter({ timing }), meter),
      meter,
      retry,
      spoolFolder: options.spoolFolder,
      env: options.env,
    });
    return new RepeatingStore({
      inner,
      servers,
      retry,
      meter,
      location: address.location,
      isDurable: session.hasSync,
    });
  } catch (error) {
    await servers.close();
    throw error;
  }
}

function isSingleWriter({ parameters, location }: SshAddress): boolean {
  for (const name of parameters.keys()) {
    if (name === SINGLE_WRITER) continue;
    throw new StoreError(
      `Cannot open ${location}: its only parameter is ${SINGLE_WRITER}: found ${name}`,
      { code: "EINVAL", action: "open" },
    );
  }
  return switchOf(SINGLE_WRITER, parameters.get(SINGLE_WRITER)) ?? false;
}

interface RepeatingStoreParts {
  readonly inner: ServerStore;
  readonly servers: Servers;
  readonly retry: RetryOptions;
  readonly meter: Meter;
  readonly location: string;
  readonly isDurable: boolean;
}

/** A store on a server; what fails as a connection ends is done again on the next. */
class RepeatingStore extends RetryStore implements SftpStore {
  readonly location: string;
  readonly meter: Meter;
  readonly isDurable: boolean;
  readonly #parts: RepeatingStoreParts;

  constructor(parts: RepeatingStoreParts) {
    super(parts.inner, parts.retry);
    this.#parts = parts;
    this.location = parts.location;
    this.meter = parts.meter;
    this.isDurable = parts.isDurable;
  }

  async probe(options?: StoreOptions): Promise<void> {
    await this.#parts.inner.probe(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.inner.settle();
    await this.#parts.servers.close();
  }
}
