import type { MessageInitShape } from "@bufbuild/protobuf";
import type * as proto from "@kinora/proto-encoder";
import { expectTypeOf, it } from "vitest";
import type * as media from "./types.ts";

// Checked by the type checker: a message is one of our values, and one of our values initialises a message.
it("has the same shapes as the contract's messages", () => {
  expectTypeOf<proto.MediaInfo>().toExtend<media.MediaInfo>();
  expectTypeOf<proto.EncodePlan>().toExtend<media.EncodePlan>();
  expectTypeOf<proto.EncodeSettings>().toExtend<media.EncodeSettings>();
  expectTypeOf<proto.ChunkPlan>().toExtend<media.ChunkPlan>();
  expectTypeOf<proto.FrameTable>().toExtend<media.FrameTable>();
  expectTypeOf<proto.StreamResult>().toExtend<media.StreamResult>();
  expectTypeOf<proto.ChunkResult>().toExtend<media.ChunkResult>();
  expectTypeOf<proto.ImagesResult>().toExtend<media.ImagesResult>();
  expectTypeOf<proto.TrialResult>().toExtend<media.TrialResult>();
  expectTypeOf<proto.LadderChoice>().toExtend<media.LadderChoice>();
  expectTypeOf<proto.VerificationReport>().toExtend<media.VerificationReport>();
  expectTypeOf<media.MediaInfo>().toExtend<MessageInitShape<typeof proto.MediaInfoSchema>>();
  expectTypeOf<media.EncodePlan>().toExtend<MessageInitShape<typeof proto.EncodePlanSchema>>();
  expectTypeOf<media.EncodeSettings>().toExtend<MessageInitShape<typeof proto.EncodeSettingsSchema>>();
  expectTypeOf<media.ChunkPlan>().toExtend<MessageInitShape<typeof proto.ChunkPlanSchema>>();
  expectTypeOf<media.FrameTable>().toExtend<MessageInitShape<typeof proto.FrameTableSchema>>();
  expectTypeOf<media.StreamResult>().toExtend<MessageInitShape<typeof proto.StreamResultSchema>>();
  expectTypeOf<media.ChunkResult>().toExtend<MessageInitShape<typeof proto.ChunkResultSchema>>();
  expectTypeOf<media.ImagesResult>().toExtend<MessageInitShape<typeof proto.ImagesResultSchema>>();
  expectTypeOf<media.TrialResult>().toExtend<MessageInitShape<typeof proto.TrialResultSchema>>();
  expectTypeOf<media.LadderChoice>().toExtend<MessageInitShape<typeof proto.LadderChoiceSchema>>();
  expectTypeOf<media.VerificationReport>().toExtend<MessageInitShape<typeof proto.VerificationReportSchema>>();
});
