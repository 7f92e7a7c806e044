import { v7 } from 'uuid'
import { drawRandom } from './random.ts'

/** Prefix of every id by resource. */
export const idPrefixes = {
  organization: 'org',
  apiKey: 'key',
  principal: 'usr',
  product: 'prd',
  location: 'loc',
  reservation: 'rsv',
  movement: 'mov',
  check: 'chk',
  order: 'ord',
  line: 'lin',
  hold: 'hld',
  event: 'evt',
  checkpoint: 'cpt',
  verification: 'vrf',
  export: 'exp',
  request: 'req',
  webhookEndpoint: 'whe',
  webhookSecret: 'whs',
  webhookDelivery: 'dlv',
  webhookAttempt: 'wat',
  job: 'job',
} as const

export type IdPrefix = (typeof idPrefixes)[keyof typeof idPrefixes]

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const bytes = new Uint8Array(16)

/**
 * A new id: `prefix_` and a UUIDv7 as 26 characters of Crockford base32 (the TypeID specification, v0.3).
 * Ids made by one process sort in the order they were made.
 */
export function newId(prefix: IdPrefix): string {
  v7(nextState(), bytes)
  return `${prefix}_${encode(bytes)}`
}

/** JSON Schema pattern of an id with this prefix. */
export const idPattern = (prefix: IdPrefix): string => `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`

/** A UUID that was made elsewhere, as an id. */
export const idOfUuid = (prefix: IdPrefix, uuid: string): string =>
  `${prefix}_${encode(Buffer.from(uuid.replaceAll('-', ''), 'hex'))}`

/** The UUID of an id. */
export function uuidOfId(id: string): string {
  let value = 0n
  for (const character of id.slice(id.indexOf('_') + 1)) value = value * 32n + BigInt(alphabet.indexOf(character))
  return value
    .toString(16)
    .padStart(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

let lastMs = 0
let sequence = 0

/** A millisecond, a 32-bit counter within it that starts at random below its middle, and 16 random bytes. */
function nextState() {
  const random = drawRandom(16)
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    sequence = random.readUInt32BE(0) >>> 1
  } else sequence++
  return { random, msecs: lastMs, seq: sequence }
}

const codes = Array.from(alphabet, (letter) => letter.charCodeAt(0))
const characters: number[] = new Array(26).fill(0)

function encode(source: Uint8Array): string {
  // 130 bits for 128: two leading zero bits, then 26 groups of five.
  let position = 0
  let pending = 0
  let pendingBits = 2
  for (const byte of source) {
    pending = (pending << 8) | byte
    pendingBits += 8
    while (pendingBits >= 5) {
      pendingBits -= 5
      characters[position++] = codes[(pending >> pendingBits) & 31] as number
    }
    pending &= (1 << pendingBits) - 1
  }
  return String.fromCharCode(...characters)
}
