import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import t from 'tap'
import { canonicalJson } from '#platform/canonical-json.ts'
import { type ChainedEvent, canonicalEvent, digestPersonal, eventHash, noHash } from '#platform/event-chain.ts'
import { seededRandom } from '#test/seeded-random.ts'

t.test('writes JSON as RFC 8785 does in its examples', async (t) => {
  const numbers: readonly [number, string][] = [
    [Number('333333333.33333329'), '333333333.3333333'],
    [1e30, '1e+30'],
    [4.5, '4.5'],
    [2e-3, '0.002'],
    [0.000_000_000_000_000_000_000_000_001, '1e-27'],
    [-0, '0'],
    [Number.MIN_VALUE, '5e-324'],
    [-Number.MAX_VALUE, '-1.7976931348623157e+308'],
    [9_007_199_254_740_992, '9007199254740992'],
    [295_147_905_179_352_830_000, '295147905179352830000'],
    [1e21, '1e+21'],
    [9.999_999_999_999_997e22, '9.999999999999997e+22'],
  ]
  for (const [number, text] of numbers) t.equal(canonicalJson(number), text)
  t.equal(canonicalJson('€$\u000f\nA\'B"\\\\"/'), String.raw`"€$\u000f\nA'B\"\\\\\"/"`)
  t.equal(canonicalJson([true, false, null, [], {}]), '[true,false,null,[],{}]')
  const names = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    1: 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  t.same(
    [...canonicalJson(names).matchAll(/:"([^"]*)"/g)].map(([, value]) => value?.split(':')[0]),
    [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji',
      'Hebrew Letter Dalet With Dagesh',
    ],
  )
})

t.test('agrees with an independent implementation on generated values', async (t) => {
  const random = seededRandom(8_785)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const text = () =>
    Array.from({ length: random() * 8 }, () =>
      pick(['a', 'Z', '"', '\\', '\n', '\u0001', 'é', '漢', '😀', '\u2028', ' ']),
    ).join('')
  const value = (depth: number): unknown => {
    const kind = Math.floor(random() * (depth > 3 ? 4 : 6))
    if (kind === 0) return text()
    if (kind === 1) return (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20)
    if (kind === 2) return Math.floor(random() * 1_000)
    if (kind === 3) return pick([true, false, null])
    if (kind === 4) return Array.from({ length: random() * 4 }, () => value(depth + 1))
    return Object.fromEntries(Array.from({ length: random() * 5 }, () => [text(), value(depth + 1)]))
  }
  for (let n = 0; n < 2_000; n++) {
    const generated = value(0)
    if (canonicalJson(generated) !== canonicalize(generated)) t.fail(JSON.stringify(generated))
  }
})

t.test('refuses what JSON cannot hold', async (t) => {
  for (const value of [
    undefined,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    () => 1,
    10n,
    '\ud800',
    { '\udc00': 1 },
    [undefined],
  ])
    t.throws(() => canonicalJson(value), TypeError)
})

const event: ChainedEvent = {
  type: 'order.placed',
  id: 'evt_01h455vb4pex5vsknk084sn02q',
  organizationId: 'org_01h455vb4pex5vsknk084sn02q',
  sequence: 1,
  schemaVersion: 1,
  occurredAt: '2026-01-15T09:30:00.000Z',
  actor: { type: 'apiKey', id: 'usr_1', keyId: 'key_1' },
  requestId: 'req_1',
  resource: { type: 'order', id: 'ord_1', version: 1 },
  changed: [],
  data: { number: '1', amount: 1999 },
  personalDigest: null,
  previousHash: noHash,
}

t.test('an event has one canonical form, and a hash that every part of it changes', async (t) => {
  const canonical =
    '{"actor":{"id":"usr_1","keyId":"key_1","type":"apiKey"},"changed":[],"data":{"amount":1999,"number":"1"},' +
    '"id":"evt_01h455vb4pex5vsknk084sn02q","occurredAt":"2026-01-15T09:30:00.000Z",' +
    '"organizationId":"org_01h455vb4pex5vsknk084sn02q","personalDigest":null,' +
    `"previousHash":"${noHash}","requestId":"req_1","resource":{"id":"ord_1","type":"order","version":1},` +
    '"schemaVersion":1,"sequence":1,"type":"order.placed"}'
  t.equal(canonicalEvent(event), canonical)
  t.equal(eventHash(event), createHash('sha256').update(canonical).digest('hex'))
  const changes: Partial<ChainedEvent>[] = [
    { sequence: 2 },
    { organizationId: 'org_2' },
    { occurredAt: '2026-01-15T09:30:00.001Z' },
    { data: { number: '1', amount: 1998 } },
    { changed: ['status'] },
    { personalDigest: noHash },
    { previousHash: '1'.repeat(64) },
    { resource: { type: 'order', id: 'ord_1', version: 2 } },
    { actor: { type: 'apiKey', id: 'usr_1', keyId: null } },
  ]
  const hashes = changes.map((change) => eventHash({ ...event, ...change }))
  t.equal(new Set([...hashes, eventHash(event)]).size, changes.length + 1)
})

t.test('the digest of the personal part depends on its salt', async (t) => {
  const salt = Buffer.alloc(16, 1)
  const expected = createHash('sha256').update(salt).update('{"a":1,"b":"é"}').digest('hex')
  t.equal(digestPersonal({ b: 'é', a: 1 }, salt), expected)
  t.not(digestPersonal({ b: 'é', a: 1 }, Buffer.alloc(16, 2)), expected)
})
