import { absent, type HandCase, refused, type World } from './world.ts'

const refusedAt = (name: string, url: string, body: unknown, status: number, code: string, more = {}): HandCase =>
  refused(name, body === undefined ? 'GET' : 'POST', url, body, status, code, more)

const ranges: readonly (readonly [string, object, string])[] = [
  ['a position before the first', { from: 0 }, 'VALIDATION_FAILED'],
  ['a negative position', { to: -1 }, 'VALIDATION_FAILED'],
  ['a position that is no integer', { from: 1.5 }, 'VALIDATION_FAILED'],
  ['a position as text', { from: '1' }, 'VALIDATION_FAILED'],
  ['a position of null', { from: null }, 'VALIDATION_FAILED'],
  ['a position beyond all there can be', { to: 10 ** 15 }, 'RANGE_OUTSIDE_LEDGER'],
  ['a position ahead of the head', { to: 1_000_000 }, 'RANGE_OUTSIDE_LEDGER'],
  ['a range that starts ahead of the head', { from: 1_000_000 }, 'RANGE_OUTSIDE_LEDGER'],
  ['a range the wrong way round', { from: 2, to: 1 }, 'RANGE_OUTSIDE_LEDGER'],
  ['the organization', { organizationId: absent('org') }, 'VALIDATION_FAILED'],
]

const tokens: readonly (readonly [string, unknown, string])[] = [
  ['nothing', '', 'INVALID_CHECKPOINT'],
  ['a word', 'checkpoint', 'INVALID_CHECKPOINT'],
  ['three empty parts', '..', 'INVALID_CHECKPOINT'],
  ['parts that are no JSON', 'a.b.c', 'INVALID_CHECKPOINT'],
  ['one that nobody signed', unsigned({ alg: 'none' }), 'INVALID_CHECKPOINT'],
  ['one signed with a secret', unsigned({ alg: 'HS256' }), 'INVALID_CHECKPOINT'],
  ['one of a key that does not exist', unsigned({ alg: 'EdDSA', kid: 'x' }), 'INVALID_CHECKPOINT'],
  ['a number', 7, 'VALIDATION_FAILED'],
  ['an object', {}, 'VALIDATION_FAILED'],
  ['one too long', 'a'.repeat(2_049), 'VALIDATION_FAILED'],
]

function unsigned(header: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ typ: 'purser-checkpoint', ...header })}.${encode({ sequence: 1, hash: '0'.repeat(64) })}.c2ln`
}

export function auditRules(world: World): readonly HandCase[] {
  const limited = { key: world.limitedKey }
  const things = [
    ['verifications', 'vrf', 'VERIFICATION_NOT_FOUND', ''],
    ['checkpoints', 'cpt', 'CHECKPOINT_NOT_FOUND', ''],
    ['exports', 'exp', 'EXPORT_NOT_FOUND', ''],
    ['exports', 'exp', 'EXPORT_NOT_FOUND', '/content'],
  ] as const
  return [
    ...ranges.flatMap(([name, body, code]) => [
      refusedAt(`audit.verify: ${name}`, '/v1/audit/verify', body, 422, code),
      refusedAt(`audit.export: ${name}`, '/v1/audit/exports', body, 422, code),
    ]),
    ...tokens.map(([name, checkpoint, code]) =>
      refusedAt(`audit.verify: as the checkpoint ${name}`, '/v1/audit/verify', { checkpoint }, 422, code),
    ),
    ...things.flatMap(([name, prefix, code, rest]) => [
      refusedAt(`${name}${rest}: absent`, `/v1/audit/${name}/${absent(prefix)}${rest}`, undefined, 404, code),
      refusedAt(`${name}${rest}: by number`, `/v1/audit/${name}/1${rest}`, undefined, 422, 'VALIDATION_FAILED'),
    ]),
    refusedAt('audit.signCheckpoint: with a hash', '/v1/audit/checkpoints', { hash: 'x' }, 422, 'VALIDATION_FAILED'),
    refusedAt('audit.signCheckpoint: without its scope', '/v1/audit/checkpoints', {}, 403, 'FORBIDDEN', limited),
    refusedAt('audit.verify: without its scope', '/v1/audit/verify', {}, 403, 'FORBIDDEN', limited),
    refusedAt('audit.export: without its scope', '/v1/audit/exports', {}, 403, 'FORBIDDEN', limited),
  ]
}
