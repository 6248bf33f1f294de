import { expect, it } from "vitest";
import type { VideoRecord } from "../store/video.store.ts";
import { recordingLogger } from "../testing/harness.ts";
import { settleUpload } from "./settle-upload.ts";
import { TusError, tusFault } from "./tus-error.ts";
import type { Uploads } from "./uploads.ts";

const context = { logger: recordingLogger([]) } as unknown as Parameters<typeof settleUpload>[0];
const video = { id: "6fa459ea-ee8a-3ca4-894e-db77e160355e", state: "uploading", sizeBytes: 10 } as VideoRecord;

it("a full storage beside the uploads is told as such to calls and to uploads, and nothing is taken away", async () => {
  // Stands for a second file system, which a test can't fill: on one alone the takeover is a rename.
  const uploads = {
    finish: () => Promise.reject(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" })),
  } as unknown as Uploads;
  const fault = await settleUpload(context, uploads, video).catch((error: unknown) => error);
  expect(fault).toMatchObject({
    reason: "exhausted",
    message: expect.stringMatching(/disk is full.*Nothing.*is lost/),
  });
  expect(tusFault(fault)).toBeInstanceOf(TusError);
  expect(tusFault(fault)).toMatchObject({ status_code: 507, body: expect.stringContaining("goes on from where") });
});
