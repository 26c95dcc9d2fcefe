import { openHttpStore } from "@snap/store/http";
import { retry, RetryStore } from "@snap/store/wrap";
import { COMMAND } from "../product.ts";
import type { FarNeed, OpenedStore } from "./opened_store.ts";

/** Most tries of the first request: a host that has never answered may not be there at all. */
const FIRST_TRIES_MAX = 3;

const READ_ONLY = {
  web: {
    reason: "a web server that knows nothing of stores can only be read",
    hint: `${COMMAND} serve there takes what is new`,
  },
  serve: { reason: "its server lets this token, or whoever has none, read" },
} as const;

/** Opens `http://HOST/PATH` and `https://HOST/PATH`. */
export async function open(url: string, need: FarNeed): Promise<OpenedStore> {
  const { limiter, meter, signal, settings } = need;
  const token = await settings.token?.();
  const again = { onRetry: () => void meter.retries++ };
  const store = await retry(
    () => {
      return openHttpStore(url, {
        ...(token !== undefined && { token }),
        env: need.env,
        limiter,
        meter,
        signal,
        retry: again,
      });
    },
    { ...again, triesMax: FIRST_TRIES_MAX },
    signal,
  );
  return {
    store: new RetryStore(store, again),
    location: store.location,
    ...(store.right === "read" && { readOnly: READ_ONLY[store.kind] }),
    meter,
    ...(store.kind === "serve" && {
      exchange: store.exchange.bind(store),
    }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
