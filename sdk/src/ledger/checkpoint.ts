import { canonicalJson } from './canonical.ts'

/** What the service signs: the hash of one position of an organization's ledger at one moment. */
export interface Checkpoint {
  readonly organizationId: string
  readonly number: number
  readonly sequence: number
  readonly hash: string
  readonly signedAt: string
}

/** Public keys by their id, the thumbprint of RFC 7638. */
export type PublicKeys = ReadonlyMap<string, PublicKey>

type PublicKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

interface Jwk {
  readonly kty?: string
  readonly crv?: string
  readonly x?: string
}

const algorithm = { name: 'Ed25519' }
const encoder = new TextEncoder()

/**
 * Reads public keys: a JSON Web Key Set, one JSON Web Key, or PEM (`BEGIN PUBLIC KEY`).
 * @throws Error when there is no Ed25519 key in the text.
 */
export async function readPublicKeys(text: string): Promise<PublicKeys> {
  const keys = text.trimStart().startsWith('{') ? await keysOfJson(text) : await keysOfPem(text)
  const named = await Promise.all(keys.map(async (key) => [await thumbprint(key), key] as const))
  if (named.length === 0) throw new Error('there is no Ed25519 public key in it')
  return new Map(named)
}

function keysOfJson(text: string): Promise<PublicKey[]> {
  const parsed = JSON.parse(text) as Jwk & { readonly keys?: readonly Jwk[] }
  const edwards = (parsed.keys ?? [parsed]).filter(({ kty, crv }) => kty === 'OKP' && crv === 'Ed25519')
  const publicPart = ({ kty, crv, x }: Jwk) => ({ kty, crv, x }) as { kty: string; crv: string; x: string }
  return Promise.all(edwards.map((key) => crypto.subtle.importKey('jwk', publicPart(key), algorithm, true, ['verify'])))
}

function keysOfPem(text: string): Promise<PublicKey[]> {
  const blocks = text.matchAll(/-----BEGIN PUBLIC KEY-----([^-]+)-----END PUBLIC KEY-----/g)
  return Promise.all(
    Array.from(blocks, ([, body = '']) =>
      crypto.subtle.importKey('spki', bytesOf(body.replace(/\s/g, '')), algorithm, true, ['verify']),
    ),
  )
}

async function thumbprint(key: PublicKey): Promise<string> {
  const { crv, kty, x } = await crypto.subtle.exportKey('jwk', key)
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(canonicalJson({ crv, kty, x })))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}

export type OpenedCheckpoint = { readonly checkpoint: Checkpoint } | { readonly refusal: 'unknownKey' | 'invalid' }

/** Checks the signature of a checkpoint (a compact JWS, RFC 7515, with EdDSA) and returns what was signed. */
export async function openCheckpoint(jws: unknown, keys: PublicKeys): Promise<OpenedCheckpoint> {
  const invalid = { refusal: 'invalid' } as const
  if (typeof jws !== 'string') return invalid
  const [head = '', body = '', signature = '', ...rest] = jws.split('.')
  if (rest.length > 0 || ![head, body, signature].every((part) => /^[\w-]+$/.test(part))) return invalid
  const header = parse(head)
  if (header?.alg !== 'EdDSA' || header.typ !== 'purser-checkpoint' || 'crit' in header) return invalid
  const key = keys.get(String(header.kid))
  if (key === undefined) return { refusal: 'unknownKey' }
  const isSigned = await crypto.subtle.verify(algorithm, key, bytesOf(signature), encoder.encode(`${head}.${body}`))
  const checkpoint = isSigned ? parse(body) : undefined
  return checkpoint === undefined ? invalid : { checkpoint: checkpoint as unknown as Checkpoint }
}

function parse(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytesOf(part)))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Bytes of base64 or base64url. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
