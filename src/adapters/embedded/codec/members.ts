/** `T` while it is made. */
export type Making<T> = { -readonly [Name in keyof T]: T[Name] };

/** Sets a member that may be absent, unless it is. */
export function setTold<T extends object, Name extends keyof T>(
  made: T,
  name: Name,
  value: T[Name] | undefined,
): void {
  if (value !== undefined) made[name] = value;
}
