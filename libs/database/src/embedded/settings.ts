/** How a cluster runs. */
export type ClusterSettings = {
  /** Seen in the title of every process of the cluster; see process-table.ts. */
  clusterName: string;
  /** As Postgres reaches them. */
  dataFolder: string;
  socketFolder: string;
  /** False only for throw-away databases of tests: rows don't survive a power cut. */
  durable: boolean;
};

/** Names the socket file only: nothing listens on a TCP port. */
export const socketPort = 5432;

/**
 * Postgres's arguments. They stand here rather than in postgresql.conf, so that a new Kinora brings its own. Small, as
 * two clusters share a laptop: about 40 connections at most, no replication, no parallel queries.
 */
export function postgresArguments(settings: ClusterSettings): string[] {
  const values: Record<string, string> = {
    cluster_name: settings.clusterName,
    listen_addresses: "",
    port: String(socketPort),
    unix_socket_directories: settings.socketFolder,
    unix_socket_permissions: "0700",
    password_encryption: "scram-sha-256",
    timezone: "UTC",
    log_timezone: "UTC",

    shared_buffers: "32MB",
    max_connections: "50",
    io_method: "sync", // no I/O worker processes
    max_worker_processes: "2",
    max_parallel_workers: "0",
    max_parallel_workers_per_gather: "0",
    autovacuum_max_workers: "1",
    jit: "off",
    huge_pages: "off",

    wal_level: "minimal",
    max_wal_senders: "0",
    max_wal_size: "256MB",
    // A commit is written in any case, if not to the disk: tests kill servers, and what was acknowledged has to be there.
    ...(settings.durable ? {} : { fsync: "off", full_page_writes: "off" }),

    // A client that has gone away must not leave its query running.
    client_connection_check_interval: "1s",

    logging_collector: "off",
    log_destination: "stderr",
    // Neither statements nor the values in an error's detail: they may be personal.
    log_min_error_statement: "panic",
    log_error_verbosity: "terse",
    log_checkpoints: "off",
  };
  return ["-D", settings.dataFolder, ...Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

/** initdb's arguments. Sorting and case follow Unicode and don't depend on the machine's locales. */
export function initdbArguments(settings: {
  dataFolder: string;
  passwordFile: string;
  user: string;
  durable: boolean;
}): string[] {
  return [
    "-D",
    settings.dataFolder,
    `--username=${settings.user}`,
    `--pwfile=${settings.passwordFile}`,
    "--auth=scram-sha-256",
    // The password has 256 random bits: hashing it many times would only slow connections down.
    "--set=scram_iterations=1",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    ...(settings.durable ? [] : ["--no-sync", "--wal-segsize=1"]),
  ];
}
