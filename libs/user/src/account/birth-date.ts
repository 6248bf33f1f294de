/** The earliest date of birth that an account may have. */
const earliest = "1900-01-01";

/**
 * Says what is wrong with a date of birth, or undefined if nothing is. Right: a day of the (proleptic Gregorian) calendar as `YYYY-MM-DD`,
 * from 1900-01-01 to today in UTC.
 */
export function birthDateFault(text: string, today: Date): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return "must be a date written as YYYY-MM-DD";
  const date = new Date(0);
  date.setUTCFullYear(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  // A day that doesn't exist, such as 30 February, rolls over into the next month.
  if (isoDay(date) !== text) return "must be a day that exists";
  if (text < earliest) return `must not be before ${earliest}`;
  if (text > isoDay(today)) return "must not be in the future";
  return undefined;
}

/**
 * Age in whole years on `today` (UTC) of somebody born on `birthDate` (`YYYY-MM-DD`); 0 if that is empty or still to come.
 * Who was born on 29 February completes a year on 1 March where the year has no 29 February.
 */
export function ageInYears(birthDate: string, today: Date): number {
  if (birthDate === "") return 0;
  const day = isoDay(today);
  const years = Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4));
  const birthdayReached = day.slice(5) >= birthDate.slice(5);
  return Math.max(0, birthdayReached ? years : years - 1);
}

function isoDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}
