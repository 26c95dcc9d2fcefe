import { openS3Store } from "@snap/store/s3";
import type { FarNeed, OpenedStore } from "./opened_store.ts";

/** Opens `s3://BUCKET/PREFIX`. */
export async function open(url: string, need: FarNeed): Promise<OpenedStore> {
  const { endpoint, region, pathStyle, profile, anonymous, singleWriter } =
    need.settings;
  const store = await openS3Store(url, {
    endpoint,
    region,
    pathStyle,
    profile,
    anonymous,
    singleWriter,
    env: need.env,
    limiter: need.limiter,
    meter: need.meter,
  });
  return {
    store,
    location: url,
    identity: store.location,
    meter: need.meter,
    probe: (options) => store.probe(options),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
