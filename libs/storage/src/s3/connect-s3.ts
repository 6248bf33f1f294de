import type { S3Settings } from "./storage-url.ts";

type Sdk = typeof import("@aws-sdk/client-s3");
type Presigner = typeof import("@aws-sdk/s3-request-presigner");

/** The SDK with a client of one server. */
export type S3Connection = {
  sdk: Sdk;
  client: InstanceType<Sdk["S3Client"]>;
  /** A client for signing alone: of the address that others reach the server by. */
  outside: InstanceType<Sdk["S3Client"]>;
  getSignedUrl: Presigner["getSignedUrl"];
  close(): void;
};

/** Each request is tried so often; parts are bounded, so each try is short. */
const attempts = 4;

/**
 * Connects to an S3 server; nothing is sent yet. The SDK (25 MB of memory, half a second) is loaded here and not before, so that an installation without S3 doesn't pay for
 * it. Checksums beyond the protocol's own are sent only where S3 demands them: many other servers know none.
 */
export async function connectS3(settings: S3Settings): Promise<S3Connection> {
  const [sdk, presigner] = await Promise.all([import("@aws-sdk/client-s3"), import("@aws-sdk/s3-request-presigner")]);
  const clientOf = (endpoint: string | undefined) =>
    new sdk.S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      ...regionOf(settings),
      forcePathStyle: settings.pathStyle,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      maxAttempts: attempts,
      requestHandler: {
        connectionTimeout: 5_000,
        socketTimeout: 30_000,
        httpAgent: { keepAlive: true, maxSockets: 128 },
        httpsAgent: { keepAlive: true, maxSockets: 128 },
      },
    });
  const client = clientOf(settings.endpoint);
  const outside =
    settings.publicEndpoint === undefined || settings.publicEndpoint === settings.endpoint
      ? client
      : clientOf(settings.publicEndpoint);
  return {
    sdk,
    client,
    outside,
    getSignedUrl: presigner.getSignedUrl,
    close() {
      client.destroy();
      if (outside !== client) outside.destroy();
    },
  };
}

// Without a region of ours the SDK looks for Amazon's where all of its tools do. Other servers mostly don't care, but a request is signed for one.
function regionOf({ region, endpoint }: S3Settings): { region?: string } {
  if (region !== undefined) return { region };
  return endpoint === undefined ? {} : { region: "us-east-1" };
}
