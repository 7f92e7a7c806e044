import t from 'tap'
import { parseJson } from '#http/json-body.ts'
import { harness } from '#test/harness.ts'

const nested = (levels: number, value = '1') => `${'['.repeat(levels)}${value}${']'.repeat(levels)}`
const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))))

t.test('reads what JSON.parse reads', async (t) => {
  const texts = [
    '{}',
    '[]',
    'null',
    ' {"a" : [1, -0.5, 1e3, true, null, "x"]} ',
    '{"a:b":":","c":"\\":\\\\"}',
    '{"\\\\":1,"\\"":2,"a\\\\":{":":":"}}',
    '{"a":{"a":{"a":1}},"b":{"a":1}}',
    '"\\ud83d\\ude00 😀 \\u00e9"',
    '9007199254740991',
    '-9007199254740991',
    '0.1',
    nested(32),
    '{"constructor":1,"prototype":2,"toString":3}',
    '{"":1}',
  ]
  for (const text of texts) t.strictSame(parseJson(Buffer.from(text)), JSON.parse(text), text.slice(0, 40))
})

t.test('refuses what is broken, ambiguous or lossy', async (t) => {
  const cases: readonly [string | Buffer, RegExp][] = [
    ['', /not valid JSON/],
    ['{', /not valid JSON/],
    ['{} {}', /not valid JSON/],
    ['{}x', /not valid JSON/],
    ["{'a':1}", /not valid JSON/],
    ['{"a":1,}', /not valid JSON/],
    ['// x\n{}', /not valid JSON/],
    ['NaN', /not valid JSON/],
    ['01', /not valid JSON/],
    ['{"a":"\n"}', /not valid JSON/],
    ['\ufeff{}', /not valid JSON/],
    [nested(200_000), /not valid JSON|32 levels/],
    ['{"a":1,"a":1}', /twice/],
    ['{"a":1,"\\u0061":2}', /twice/],
    ['{"x":[{"b":{},"b":":"}]}', /twice/],
    ['{"a":{"a":1,"b":2,"a":3}}', /twice/],
    ['"\\u0000"', /NUL/],
    ['{"a\\u0000":1}', /NUL/],
    ['"\\ud800"', /lone surrogate/],
    ['"\\udc00\\ud800"', /lone surrogate/],
    ['{"\\udfff":1}', /lone surrogate/],
    ['9007199254740992', /safe integers/],
    ['-9007199254740992', /safe integers/],
    ['{"a":[9007199254740993.0]}', /safe integers/],
    ['1e400', /safe integers/],
    ['1e20', /safe integers/],
    [nested(33), /32 levels/],
    [`{"a":${nested(32)}}`, /32 levels/],
    ['{"__proto__":{"admin":true}}', /__proto__/],
    ['{"a":{"__proto__":null}}', /__proto__/],
    [bytes('"', 0xff, '"'), /UTF-8/],
    [bytes('"', 0xc0, 0xaf, '"'), /UTF-8/],
    [bytes('"', 0xed, 0xa0, 0x80, '"'), /UTF-8/],
    [bytes(0xff, 0xfe, '{', 0, '}', 0), /UTF-8/],
    [bytes(0xef, 0xbb, 0xbf, '{}'), /not valid JSON/],
  ]
  for (const [body, message] of cases) {
    const given = typeof body === 'string' ? Buffer.from(body) : body
    t.throws(() => parseJson(given), { code: 'MALFORMED_REQUEST', message }, given.toString().slice(0, 40))
  }
})

t.test('a body that cannot be read answers 400 and changes nothing', async (t) => {
  const { as, tenant } = await harness(t)
  const client = as(tenant.key)
  const send = (payload: string | Buffer) =>
    client.send({ method: 'POST', url: '/v1/locations', headers: { 'content-type': 'application/json' }, payload })
  for (const body of [
    '',
    '{"name":"a","name":"b"}',
    '{"name":"\\u0000"}',
    '{"name":"a"}x',
    bytes('{"name":"', 0xff, '"}'),
  ]) {
    const answer = await send(body)
    t.match(answer, { status: 400, body: { error: { code: 'MALFORMED_REQUEST' } } }, body.toString())
  }
  t.equal((await client.get('/v1/locations')).body.data.length, 1)
  t.equal((await send('{"name":"Ünïcode \\ud83d\\ude00"}')).body.data.name, 'Ünïcode 😀')
})
