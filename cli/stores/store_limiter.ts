import { Limiter, Pace } from "@snap/store/wrap";
import type { Session } from "../session.ts";
import type { FarLimits } from "./opened_store.ts";

/** Makes the limits of a store far away; its rate may be that of all such stores of the run. */
export function storeLimiter(
  session: Session,
  { bytesPerSecond, isRateShared, requestsMax }: FarLimits,
): Limiter {
  const requests = requestsMax === undefined ? {} : { requestsMax };
  if (bytesPerSecond === undefined) return new Limiter(requests);
  const pace = isRateShared
    ? session.pace ??= new Pace(bytesPerSecond)
    : new Pace(bytesPerSecond);
  return new Limiter({ ...requests, pace });
}
