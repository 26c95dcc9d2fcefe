import {
  openS3Objects,
  openS3Store,
  type S3Objects,
  type S3StoreOptions,
} from "@snap/store/s3";
import type { FarNeed, OpenedStore } from "./opened_store.ts";

/** Opens `s3://BUCKET/PREFIX`. */
export async function open(url: string, need: FarNeed): Promise<OpenedStore> {
  const store = await openS3Store(url, optionsOf(need));
  return {
    store,
    location: url,
    identity: store.location,
    meter: need.meter,
    probe: (options) => store.probe(options),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Opens `s3://BUCKET/PREFIX` for objects that are no files of a store. */
export async function openObjects(
  url: string,
  need: FarNeed,
): Promise<S3Objects> {
  return await openS3Objects(url, optionsOf(need));
}

function optionsOf({ settings, env, limiter, meter }: FarNeed): S3StoreOptions {
  const { endpoint, region, pathStyle, profile, anonymous, singleWriter } =
    settings;
  return {
    ...{ endpoint, region, pathStyle, profile, anonymous, singleWriter },
    ...{ env, limiter, meter },
  };
}
