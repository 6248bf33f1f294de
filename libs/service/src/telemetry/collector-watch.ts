import type { Logger } from "@kinora/rpc";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";

/** Something that exports, as the SDK's exporters do. */
type Exporter<T> = { export(data: T, done: (result: ExportResult) => void): void };

/**
 * Makes an exporter tell the log when its collector can't be reached, and when it can again: a line each, however long that lasts. What couldn't be
 * delivered is gone; nobody else needs to hear of it.
 */
export function watchCollector<T, E extends Exporter<T>>(exporter: E, url: string, logger: Logger): E {
  const send = exporter.export.bind(exporter);
  let failing = false;
  exporter.export = (data, done) =>
    send(data, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS;
      if (failed && !failing) {
        logger.warn(
          { collector: url, reason: result.error?.message },
          "telemetry can't be delivered; it is lost until it can",
        );
      } else if (failing && !failed) {
        logger.info({ collector: url }, "telemetry is delivered again");
      }
      failing = failed;
      done({ code: ExportResultCode.SUCCESS });
    });
  return exporter;
}
