import type { VerifyProgress } from "@snap/snapshot/verify";
import type { Progress } from "./progress_line.ts";

/** Tells how far it is known that snapshots are whole. */
export function verifyProgressOf(progress: VerifyProgress): Progress {
  const { phase } = progress;
  const hasObjects = phase === "contents" || phase === "trees";
  return {
    unit: hasObjects ? "object" : "pack",
    doneCount: hasObjects ? progress.objectCount : progress.packCount,
    totalCount: hasObjects ? 0 : progress.packTotal,
    doneByteCount: progress.byteCount,
    totalByteCount: progress.byteTotal,
    isTotalKnown: !hasObjects,
  };
}
