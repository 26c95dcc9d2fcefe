import type { Hasher } from "@snap/hash";
import type { Transport } from "../transport.ts";
import type { Peer } from "./peer.ts";
import { openRemoteSession } from "./remote_session.ts";

/** Options of {@linkcode remotePeer}. */
export interface RemotePeerOptions {
  /** Hasher. */
  readonly hasher: Hasher;
}

/**
 * Makes a server a side of a sync.
 *
 * @param transport What carries messages there; a store of a server is one.
 * @param options What hashes.
 * @returns The side.
 */
export function remotePeer(
  transport: Transport,
  { hasher }: RemotePeerOptions,
): Peer {
  return {
    location: transport.location ?? "the server",
    isRemote: true,
    connect: (session) => openRemoteSession({ ...session, transport, hasher }),
  };
}
