// Adopts one file, for a test that kills it.
import process from "node:process";
import { openS3Store } from "../mod.ts";

const { options, name, path, url } = JSON.parse(process.argv[2]);
const store = await openS3Store(url ?? "s3://bucket/p", {
  credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
  env: {},
  partSize: 1000,
  ...options,
});
await store.adopt(name, path);
