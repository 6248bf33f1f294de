import type { EncodeSettings } from "@kinora/media";
import type { FieldViolation } from "@kinora/rpc";

const namedPresets = "ultrafast superfast veryfast faster fast medium slow slower veryslow".split(" ");
const codecs: Readonly<Record<string, { presets: readonly string[]; crf: number }>> = {
  h264: { presets: namedPresets, crf: 51 },
  hevc: { presets: namedPresets, crf: 51 },
  av1: { presets: Array.from({ length: 14 }, (_, index) => String(index)), crf: 63 },
};

/**
 * What is wrong with settings beyond what the contract's rules say of each field: fields that don't go together. Settings are checked whole, the profile's
 * and the request's together.
 * @param path of the settings in the request, such as `settings`
 */
export function settingsFaults(settings: EncodeSettings, path = "settings"): FieldViolation[] {
  const { codec = "h264", preset, crf, ladder, qualityTarget, rungs = [] } = settings;
  const known = codecs[codec];
  if (known === undefined) return [fault(`${path}.codec`, "must be h264, hevc or av1")];
  const faults: FieldViolation[] = [];
  if (preset !== undefined && !known.presets.includes(preset)) {
    const [first, last] = [known.presets[0], known.presets.at(-1)];
    faults.push(fault(`${path}.preset`, `must be a preset of ${codec}: ${first} to ${last}`));
  }
  if (crf !== undefined && !(crf >= 0 && crf <= known.crf)) {
    faults.push(fault(`${path}.crf`, `must be from 0 to ${known.crf} for ${codec}`));
  }
  if (qualityTarget !== undefined && ladder !== "per-title") {
    faults.push(fault(`${path}.quality_target`, 'needs ladder "per-title": a fixed ladder has no target'));
  }
  return [...faults, ...rungFaults(rungs, `${path}.rungs`)];
}

function rungFaults(rungs: NonNullable<EncodeSettings["rungs"]>, path: string): FieldViolation[] {
  const faults: FieldViolation[] = [];
  for (const [index, rung] of rungs.entries()) {
    const at = `${path}[${index}]`;
    const above = rungs[index - 1];
    if (rungs.findIndex(({ name }) => name === rung.name) < index) {
      faults.push(fault(`${at}.name`, `must be unique: ${rung.name} is there twice`));
    }
    if (rung.longSide < rung.shortSide) faults.push(fault(`${at}.long_side`, "must not be shorter than short_side"));
    if (above !== undefined && (rung.longSide > above.longSide || rung.shortSide > above.shortSide)) {
      faults.push(fault(at, "must not be larger than the rung before it: largest first"));
    }
    if (above !== undefined && rung.maxBitrate >= above.maxBitrate) {
      faults.push(fault(`${at}.max_bitrate`, "must be less than that of the rung before it"));
    }
  }
  return faults;
}

function fault(field: string, message: string): FieldViolation {
  return { field, message };
}
