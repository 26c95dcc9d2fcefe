/**
 * Options of a server of a store.
 *
 * @module
 */
import type { PruneStore, ReadStore } from "../store.ts";

/**
 * A right: read; append, which creates and never removes or
 * replaces, and nothing under `config/`, `forgotten/` or `gc/`; prune, which does all.
 */
export type Right = "read" | "append" | "prune";

/** A token, and what it allows. */
export interface TokenGrant {
  /** 16 to 1024 visible ASCII characters, at random. */
  readonly token: string;
  /** Right that it gives. */
  readonly right: Right;
}

/** Rights of requests: by tokens, or of all on this machine. */
export type Access =
  | {
    /** The tokens. */
    readonly tokens: readonly TokenGrant[];
    /** Right of requests without a token. Default: none. */
    readonly anonymous?: "read";
  }
  | {
    /**
     * The right of requests without a token, for a caller that says that it
     * listens on loopback only.
     */
    readonly loopback: Right;
  };

/** A store to serve: what it cannot do is refused. */
export type ServedStore = ReadStore & Partial<PruneStore>;

/** Context of an `exchange`, beside its body. */
export interface ExchangeContext {
  /** Right of the request. */
  readonly right: Right;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers the body of an `exchange` with another. */
export type ExchangeHandler = (
  body: Uint8Array,
  context: ExchangeContext,
) => Promise<Uint8Array>;

/** Peer of a connection, as `Deno.serve` tells it. */
export interface PeerInfo {
  /** Its address; of some kinds of connections there is none. */
  readonly remoteAddr?: { readonly hostname?: string };
}

/** One line of an access log. */
export interface AccessLine {
  /** Address of the peer of the connection: the client, or a proxy before it; undefined where none was told. */
  readonly peer: string | undefined;
  /** The HTTP method. */
  readonly method: string;
  /** Verb of the request, or undefined if it is none known. */
  readonly verb: string | undefined;
  /** The name, prefix or upload that it concerns. */
  readonly subject: string | undefined;
  /** The HTTP status. */
  readonly status: number;
  /** Right of the request, or undefined if it has none. */
  readonly right: Right | undefined;
  /** Bytes of its body. */
  readonly bytesIn: number;
  /** Bytes of the answer. */
  readonly bytesOut: number;
  /** How long it took in milliseconds, up to the last byte of the answer. */
  readonly durationMs: number;
  /** The error, with all that must not be told outside. */
  readonly error: unknown;
}

/** Limits, a log and an end: options of both servers. */
export interface ServeLimits {
  /** Size of the largest body in bytes. Default 32 MiB. */
  readonly bodySizeMax?: number;
  /** Size of the largest file in bytes. Default 2 GiB. */
  readonly fileSizeMax?: number;
  /** Longest wait for the next byte of a body, in or out, in milliseconds. Default 30,000. */
  readonly idleMs?: number;
  /** Most requests at work at once; those above it are told to come back. Default 256. */
  readonly requestsMax?: number;
  /** Answers `exchange`. Default: it is refused. */
  readonly exchange?: ExchangeHandler;
  /** Gets a line for each request, when it is over. */
  readonly onAccess?: (line: AccessLine) => void;
  /** Ends the server: what is at work is finished, what comes is refused. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of a clock that never goes back. Default: `performance.now`. */
  readonly now?: () => number;
  /** Waits. Default: a timer. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}
