import type { FastifyInstance } from 'fastify'
import { MalformedRequest, UnsupportedMediaType } from './problems.ts'

const maxDepth = 32
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses JSON strictly (RFC 8259 with the limits of I-JSON, RFC 7493): valid UTF-8, no duplicate keys, no NUL and no
 * lone surrogate in strings, no number beyond the safe integers, at most 32 levels.
 * @throws MalformedRequest saying which of these was broken.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  const value = parse(text)
  const seen = { keys: 0 }
  inspect(value, 1, text.includes('\\u'), seen)
  // As many colons outside strings as keys that survived parsing: otherwise a key stood twice in one object.
  if (seen.keys !== countColons(text)) throw refuse('A key appears twice in one object')
  return value
}

export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i,
    { parseAs: 'buffer' },
    ({ headers }, body, done) => {
      try {
        if (!/^(identity)?$/i.test(headers['content-encoding'] ?? ''))
          throw new UnsupportedMediaType({ detail: 'Bodies are read without Content-Encoding' })
        done(null, parseJson(body as Buffer))
      } catch (error) {
        done(error as Error)
      }
    },
  )
}

const refuse = (detail: string): Error => new MalformedRequest({ detail })

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (error) {
    throw new MalformedRequest({ detail: 'The body is not valid UTF-8', cause: error })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new MalformedRequest({ detail: 'The body is not valid JSON', cause: error })
  }
}

function inspect(value: unknown, depth: number, escaped: boolean, seen: { keys: number }): void {
  if (typeof value === 'number') inspectNumber(value)
  if (typeof value === 'string' && escaped) inspectText(value)
  if (typeof value !== 'object' || value === null) return
  if (depth > maxDepth) throw refuse(`The body is nested deeper than ${maxDepth} levels`)
  if (Array.isArray(value)) {
    for (const item of value) inspect(item, depth + 1, escaped, seen)
    return
  }
  for (const key of Object.keys(value)) {
    seen.keys++
    if (key === '__proto__') throw refuse('The key __proto__ is not allowed')
    if (escaped) inspectText(key)
    inspect((value as Record<string, unknown>)[key], depth + 1, escaped, seen)
  }
}

function inspectNumber(value: number): void {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    throw refuse('A number is beyond the safe integers (2^53 - 1)')
}

/** JSON.parse refuses raw control characters, and valid UTF-8 has no surrogates: only escapes can bring them in. */
function inspectText(value: string): void {
  if (value.includes('\0')) throw refuse('A string contains NUL')
  if (!value.isWellFormed()) throw refuse('A string contains a lone surrogate')
}

const quote = 34
const backslash = 92
const colon = 58

function countColons(text: string): number {
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index)
    if (character === colon) count++
    else if (character === quote) index = endOfString(text, index)
  }
  return count
}

/** Index of the quote that closes the string opened at `start`; the text is known to be valid JSON. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (escapedAt(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function escapedAt(text: string, index: number): boolean {
  let slashes = 0
  while (text.charCodeAt(index - 1 - slashes) === backslash) slashes++
  return slashes % 2 === 1
}
