/** Whole cores of a quantity of CPU in Kubernetes' units ("4", "1500m"), rounded down, and one at least. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function wholeCores(cpu: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(m?)$/.exec(cpu) ?? [];
  if (count === undefined) throw new RangeError(`${JSON.stringify(cpu)} is no quantity of CPU: write "4" or "500m".`);
  return Math.max(1, Math.floor(Number(count) / (unit === "m" ? 1000 : 1)));
}
