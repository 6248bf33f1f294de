import type { MessageInitShape } from "@bufbuild/protobuf";
import type * as proto from "@kinora/proto-encoder";
import { expectTypeOf, it } from "vitest";
import type * as media from "./types.ts";

// Checked by the type checker: a message is one of our values, and one of our values initialises a message.
it("has the same shapes as the contract's messages", () => {
  expectTypeOf<proto.MediaInfo>().toExtend<media.MediaInfo>();
  expectTypeOf<proto.EncodePlan>().toExtend<media.EncodePlan>();
  expectTypeOf<proto.StreamResult>().toExtend<media.StreamResult>();
  expectTypeOf<media.MediaInfo>().toExtend<MessageInitShape<typeof proto.MediaInfoSchema>>();
  expectTypeOf<media.EncodePlan>().toExtend<MessageInitShape<typeof proto.EncodePlanSchema>>();
  expectTypeOf<media.StreamResult>().toExtend<MessageInitShape<typeof proto.StreamResultSchema>>();
});
