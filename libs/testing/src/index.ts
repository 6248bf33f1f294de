/** What several projects' tests share. Never part of a service. */
export { freePort } from "./free-port.ts";
export { type MailServer, type SmtpLetter, startMailServer } from "./mail-server.ts";
export { type Exit, type NodeProcess, startNode } from "./node-process.ts";
export { createPasskeyAuthenticator, type Deviation, type PasskeyAuthenticator } from "./passkey-authenticator.ts";
export { realVideos, repositoryRoot, sampleVideo } from "./repository.ts";
export { type S3Server, startS3Server } from "./s3-server.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export { waitUntil, waitUntilReady } from "./wait-until.ts";
