const encoder = new TextEncoder()

/**
 * Canonical JSON (RFC 8785) of a value that JSON.parse returned: keys by UTF-16 code unit, no white space.
 * @throws RangeError for what it has no form for: a number beyond double precision's range, a lone surrogate.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('a number is out of range')
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) throw new RangeError('a surrogate stands alone')
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.keys(value)
    .sort((a, b) => (a < b ? -1 : 1))
    .map((name) => `${canonicalJson(name)}:${canonicalJson((value as Record<string, unknown>)[name])}`)
  return `{${members.join(',')}}`
}

/** SHA-256 of a text in UTF-8, in hexadecimal. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
