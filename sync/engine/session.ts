import { PROGRESS_INTERVAL_MS } from "@snap/posix/pacer";
import { SyncError } from "../errors.ts";
import {
  type CopyOptions,
  type Meter,
  newMeter,
  type SyncReport,
} from "../options.ts";
import type { OtherSide, Peer, PeerSession } from "../peer/peer.ts";

/** Two sides that are spoken with. */
export interface Sides {
  readonly a: PeerSession;
  readonly b: PeerSession;
  readonly report: SyncReport;
  /** Context that the observer has returned for the session. */
  readonly context: unknown;
}

/**
 * Speaks with two sides, and tells the observer.
 *
 * @param peers The sides.
 * @param options How.
 * @param work What is done with them; it adds to the report.
 * @returns The report.
 */
export async function withSides(
  peers: { readonly a: Peer; readonly b: Peer },
  options: CopyOptions,
  work: (sides: Sides) => Promise<void>,
): Promise<SyncReport> {
  const { observer, onProgress } = options;
  const meter: Meter = options.meter ?? newMeter();
  const report = reportOf(meter, options.dryRun === true);
  const context = observer?.sessionStarted?.({
    side: "client",
    from: peers.a.location,
    to: peers.b.location,
  });
  const tell = (): void => onProgress?.(report);
  const timer = onProgress === undefined
    ? undefined
    : setInterval(tell, PROGRESS_INTERVAL_MS);
  try {
    const how = { ...options, meter: report };
    const sides = await connect(peers, how, report);
    try {
      await work({ ...sides, report, context });
    } finally {
      await sides[Symbol.asyncDispose]();
    }
    report.requests = sides.a.requestCount + sides.b.requestCount;
    observer?.sessionEnded?.(context, { report });
    return report;
  } catch (error) {
    observer?.sessionEnded?.(context, { error });
    throw error;
  } finally {
    clearInterval(timer);
    tell();
    if (options.meter !== undefined) Object.assign(meter, counters(report));
  }
}

/** Connects the nearer side first: the other one compares at once. */
async function connect(
  { a, b }: { readonly a: Peer; readonly b: Peer },
  options: CopyOptions & { readonly meter: Meter },
  report: SyncReport,
): Promise<{ a: PeerSession; b: PeerSession } & AsyncDisposable> {
  const isANear = b.isRemote || !a.isRemote;
  const [nearPeer, farPeer] = isANear ? [a, b] : [b, a];
  const near = await nearPeer.connect(options);
  let far: PeerSession;
  try {
    const [records, tags] = [await near.records(), await near.tags()];
    const other: OtherSide = { storeId: near.info.storeId, records, tags };
    far = await farPeer.connect({ ...options, other });
  } catch (error) {
    await near[Symbol.asyncDispose]();
    throw error;
  }
  const close = async (): Promise<void> => {
    try {
      await far[Symbol.asyncDispose]();
    } finally {
      await near[Symbol.asyncDispose]();
    }
  };
  if (near.info.storeId === far.info.storeId) {
    await close();
    throw new SyncError(
      `Cannot sync ${a.location} with ${b.location}: both are one store`,
      { code: "SAME" },
    );
  }
  const [one, other] = [near.info.settings.chunk, far.info.settings.chunk];
  report.chunksDiffer = JSON.stringify(one) !== JSON.stringify(other);
  return {
    ...(isANear ? { a: near, b: far } : { a: far, b: near }),
    [Symbol.asyncDispose]: close,
  };
}

function reportOf(meter: Meter, dryRun: boolean): SyncReport {
  return {
    ...meter,
    dryRun,
    rounds: 0,
    requests: 0,
    recordsCopied: 0,
    recordsRemoved: 0,
    tagEntries: 0,
    chunksDiffer: false,
    errors: [],
  };
}

function counters(report: SyncReport): Meter {
  const names = Object.keys(newMeter()) as (keyof Meter)[];
  return Object.fromEntries(
    names.map((name) => [name, report[name]]),
  ) as unknown as Meter;
}
