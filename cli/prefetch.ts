/**
 * Modules that a program fetches before it starts, where it fetches its code.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */

/**
 * Never called: names the modules that are loaded by computed names, so that
 * who installs, builds or checks the program knows them. `main.ts` does not
 * import this module: reading all commands costs 10 ms of each start.
 *
 * @returns The modules, all loaded.
 */
export function prefetchCommands(): Promise<unknown[]> {
  return Promise.all([
    import("./mounts/exec_inside.ts"),
    import("./mounts/exec_outside.ts"),
    import("./mounts/exec_saving.ts"),
    import("./own_command.ts"),
    import("./mounts/prepare_mount.ts"),
    import("./mounts/serve_mount.ts"),
    import("./mounts/start_server.ts"),
    import("./run_command.ts"),
    import("./archives/snapdir_manifest.ts"),
    import("./commands/cat.ts"),
    import("./commands/clone.ts"),
    import("./commands/commit.ts"),
    import("./commands/completions.ts"),
    import("./commands/diff.ts"),
    import("./commands/exec.ts"),
    import("./commands/export.ts"),
    import("./commands/find.ts"),
    import("./commands/forget.ts"),
    import("./commands/help.ts"),
    import("./commands/id.ts"),
    import("./commands/import.ts"),
    import("./commands/init.ts"),
    import("./commands/log.ts"),
    import("./commands/ls.ts"),
    import("./commands/manifest.ts"),
    import("./commands/mcp.ts"),
    import("./commands/mount.ts"),
    import("./commands/prune.ts"),
    import("./commands/pull.ts"),
    import("./commands/push.ts"),
    import("./commands/recover.ts"),
    import("./commands/repair.ts"),
    import("./commands/restore.ts"),
    import("./commands/rewrite.ts"),
    import("./commands/save.ts"),
    import("./commands/stats.ts"),
    import("./commands/sync.ts"),
    import("./commands/tag.ts"),
    import("./commands/umount.ts"),
    import("./commands/verify.ts"),
    import("./commands/version.ts"),
    import("./commands/watch.ts"),
    import("./commands/config.ts"),
    import("./commands/listing.ts"),
    import("./commands/serve.ts"),
    import("./config/read_config.ts"),
    import("./config/settings.ts"),
    import("./serving/serve_http.ts"),
    import("./serving/serve_stdio.ts"),
    import("./stores/open_far.ts"),
    import("./stores/open_http.ts"),
    import("./stores/open_s3.ts"),
    import("./stores/open_sftp.ts"),
    import("./stores/open_ssh.ts"),
    import("./stores/write_listing_again.ts"),
    import("./stores/proof_file.ts"),
    import("./stores/with_cache.ts"),
  ]);
}
