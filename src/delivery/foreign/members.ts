type Members = Record<string, unknown>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `sms_url`, `smsUrl`, `http.method`: all the spellings of one name. */
export const nameOf = (written: string): string => written.toLowerCase().replace(/[^a-z0-9]/g, '');

/** `properties`, as a map or as a list of `{ key, value }`. */
export function propertiesOf(value: unknown): Members {
  if (isMembers(value)) return value;
  if (!Array.isArray(value)) return {};
  const pairs = value.filter(isMembers).map(({ key, value }) => [String(key), value]);
  return Object.fromEntries(pairs);
}

/** The members of a document by {@link nameOf}, those of `http` and `properties` lifted up. */
export function flatten(document: Members): Map<string, { written: string; value: unknown }> {
  const members = new Map<string, { written: string; value: unknown }>();
  for (const [written, value] of Object.entries(document)) {
    const name = nameOf(written);
    if (name === 'properties') {
      for (const [inner, member] of flatten(propertiesOf(value))) members.set(inner, member);
    } else if (name === 'http' && isMembers(value)) {
      for (const [inner, member] of flatten(value))
        members.set(`http${inner}`, { written: `http.${member.written}`, value: member.value });
    } else {
      members.set(name, { written, value });
    }
  }
  return members;
}
