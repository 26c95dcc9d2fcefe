/** What every part of the bench of mounts needs. */
export interface PartOptions {
  /** A folder of its own, in memory. */
  readonly folder: string;
  /** Variables for commands. */
  readonly env: Readonly<Record<string, string>>;
  /** How often; the median counts. */
  readonly runCount: number;
  /** Peers that are measured, by the first word of their names; all without it. */
  readonly peers: readonly string[] | undefined;
  /** Whether it measures, or only shows that it runs. */
  readonly size: "full" | "small";
}
