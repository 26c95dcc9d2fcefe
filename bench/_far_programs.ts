import { s3Server } from "../tests/_s3_server.ts";
import { peer, withStore } from "./_peers.ts";
import type { Level, Program } from "./_program.ts";
import { ours } from "./_programs.ts";

/** Programs that keep their stores in a bucket, and what they need to reach it. */
export interface FarPrograms {
  /** The programs; `$PREFIX` is the place of one run within the bucket. */
  readonly programs: Program[];
  /** Variables of their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Prints how many bytes are stored at `$PREFIX`. */
  readonly storeSize: string;
}

const BUCKET = "bench";

/**
 * Starts a server of S3 on this machine and returns who can save into it. Beside them stand snap
 * with a folder, and `rclone`, which puts and gets the packs of such a folder as they are.
 *
 * @param level The level of compression.
 * @returns The programs, and how they reach the server.
 */
export async function farPrograms(level: Level): Promise<FarPrograms> {
  const { endpoint, credentials } = await s3Server("ceph");
  const remote = `:s3:${BUCKET}/$PREFIX`;
  const kopia = peer("kopia");
  const near = ours("snap with a folder", "$SNAP", level);
  const env = {
    BUCKET,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: "us-east-1",
    RCLONE_S3_PROVIDER: "Ceph",
    RCLONE_S3_ENV_AUTH: "true",
    RCLONE_S3_ENDPOINT: endpoint,
    RCLONE_CONFIG: "/dev/null",
  };
  await makeBucket(env);
  return {
    env,
    storeSize: `if [ -d "$STORE" ]; then du -sb --apparent-size "$STORE"
      else rclone size --json "${remote}" | grep -o '"bytes":[0-9]*' | cut -d : -f 2; fi`,
    programs: [
      ours("snap", "$SNAP", level, `s3://${BUCKET}/$PREFIX`),
      near,
      withStore(peer("restic"), `s3:${endpoint}/${BUCKET}/$PREFIX`),
      {
        ...kopia,
        init: kopia.init!.replace(
          `filesystem --path "$STORE"`,
          `s3 --bucket ${BUCKET} --prefix "$PREFIX/" --endpoint "${
            new URL(endpoint).host
          }" --disable-tls`,
        ).replace(' "$STORE"', ""),
      },
      {
        name: "rclone",
        kind: "floor",
        version: "rclone version | sed -n 1p",
        init: `${near.init} && ${near.save}`,
        save: `rclone copy "$STORE" "${remote}" --transfers 8`,
        again: `rclone copy "$STORE" "${remote}" --transfers 8`,
        restore: `rclone copy "${remote}" "$TARGET" --transfers 8`,
        compare: `rclone check -q --download "$STORE" "$TARGET"`,
      },
    ],
  };
}

async function makeBucket(env: Record<string, string>): Promise<void> {
  const { success, stderr } = await new Deno.Command("rclone", {
    args: ["mkdir", `:s3:${BUCKET}`],
    env,
  }).output();
  if (success) return;
  throw new Error(
    `Cannot make a bucket by rclone: ${new TextDecoder().decode(stderr)}`,
  );
}
