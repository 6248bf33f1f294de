/** Short name of an image's version, fit for the name of an object: the digest's first 10 digits, or the tag. */
export function versionOf(image: string): string {
  const digest = /@sha256:([0-9a-f]{64})$/.exec(image)?.[1];
  if (digest !== undefined) return digest.slice(0, 10);
  const tag = /^[^@]+:([\w][\w.-]{0,127})$/.exec(image)?.[1];
  if (tag === undefined) throw new Error(`the image ${image} has neither a digest nor a tag`);
  return tag
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 30);
}
