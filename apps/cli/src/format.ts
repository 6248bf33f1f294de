/** Figures and times for people. */

/** Bytes in decimal units, such as `34.1 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = Math.max(0, bytes);
  let unit = 0;
  // 999.95 would be shown as "1000.0": it belongs to the next unit.
  while (unit < units.length - 1 && value >= (unit === 0 ? 1000 : 999.95)) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Seconds as `0:34`, `12:05` or `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (part: number) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** A part of a whole as `35 %`. 100 % is for what is complete alone. */
export function formatPercent(fraction: number): string {
  return `${fraction >= 1 ? 100 : Math.min(99, Math.max(0, Math.floor(fraction * 100)))} %`;
}

/** Bits per second, such as `4.5 Mbit/s`. */
export function formatBitrate(bitsPerSecond: number): string {
  return bitsPerSecond >= 999_500
    ? `${(bitsPerSecond / 1_000_000).toFixed(1)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

/** Frames per second, such as `24` or `29.97`. */
export function formatFrameRate({ num, den }: { num: number; den: number }): string {
  return den === 0 ? "?" : String(Number((num / den).toFixed(2)));
}

/** A moment in this machine's time zone, such as `2026-11-22 07:31`. */
export function formatTime(date: Date): string {
  const pad = (part: number) => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** How fast something goes and how long it takes yet, such as `2.1×` (seconds of video per second, unless `rateOf` says it otherwise) and `0:34 left`, as far as they are known. */
export function paceOf(
  { speed, remainingSeconds }: { speed: number; remainingSeconds?: number | undefined },
  rateOf = (speed: number) => `${speed.toFixed(1)}×`,
): string[] {
  const rate = speed > 0 ? [rateOf(speed)] : [];
  return remainingSeconds === undefined ? rate : [...rate, `${formatDuration(remainingSeconds)} left`];
}
