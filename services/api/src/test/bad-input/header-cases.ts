import { takesHeader } from '../operations.ts'
import type { Sample } from '../samples.ts'
import type { BadCase, Category } from './cases.ts'

type Headers = Readonly<Record<string, string | undefined>>

/** Every header that is read, with what it cannot be. */
export function headerCases(sample: Sample): readonly BadCase[] {
  const { operation } = sample
  const refused = (name: string, headers: Headers, status: number, code: string): BadCase => ({
    category: 'headers',
    name,
    change: { headers: { ...sample.headers, ...headers } },
    statuses: [status],
    code,
  })
  const keys = operation.idempotency === 'none' ? [] : wrongKeys
  const tags = takesHeader(operation, 'if-match') ? wrongTags : []
  const accepts = [
    'text/html',
    'application/xml',
    'application/json;q=0',
    '*/*;q=0',
    'text/html, image/*',
    'json',
    'application/json2',
  ]
  const credentials = operation.isPublic ? [] : wrongCredentials
  return [
    ...keys.map((key) =>
      refused(`Idempotency-Key ${key.slice(0, 20)}`, { 'idempotency-key': key }, 400, 'MALFORMED_REQUEST'),
    ),
    ...tags.map((tag) => refused(`If-Match ${tag.slice(0, 20)}`, { 'if-match': tag }, 400, 'MALFORMED_REQUEST')),
    ...accepts.map((accept) => refused(`Accept ${accept}`, { accept }, 406, 'NOT_ACCEPTABLE')),
    ...credentials.map((value) =>
      refused(`Authorization ${value.slice(0, 30)}`, { authorization: value }, 401, 'UNAUTHORIZED'),
    ),
    ...(operation.idempotency === 'required'
      ? [refused('no Idempotency-Key', { 'idempotency-key': undefined }, 400, 'IDEMPOTENCY_KEY_REQUIRED')]
      : []),
    ...(tags.length === 0 ? [] : [refused('a stale If-Match', { 'if-match': '"999999"' }, 412, 'PRECONDITION_FAILED')]),
  ]
}

const wrongKeys = [
  '',
  ' ',
  ' leading',
  'trailing ',
  '""',
  '"',
  'x'.repeat(256),
  `"${'x'.repeat(256)}"`,
  'é',
  'a\u007f',
  'a\tb',
  '日本',
  '\u0001',
  'a\u0000b',
]

const wrongTags = [
  '',
  '7',
  "'7'",
  '"7',
  '7"',
  '"x"',
  '""',
  '"-1"',
  '"7.5.1"',
  '"7.XYZ"',
  '"1e3"',
  '"1","x"',
  '"1",',
  'w/"1"',
  'W/1',
  '**',
  `"${'9'.repeat(16)}"`,
  '"1"; drop table orders',
  '"é"',
]

const wrongCredentials = [
  '',
  'Bearer',
  'Bearer ',
  'Bearer a b',
  'Basic c2s6eA==',
  'Digest username="x"',
  'bearer=sk_test_1',
  'Bearer sk_test_1',
  `Bearer ${'x'.repeat(513)}`,
  `Bearer sk_live_${'A'.repeat(46)}`,
  'Bearer null',
  'Bearer undefined',
  "Bearer ' or 1=1 --",
  'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.',
]

const mediaTypes = [
  'text/plain',
  'text/json',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  'application/octet-stream',
  'application/jsonx',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/vnd.api+json',
  'application/json; charset=utf-16',
  'application/json; charset=latin1',
  'application/json; charset=utf-8; charset=latin1',
  'application/json, text/plain',
  'application/json; boundary=x',
  'json',
  '*/*',
  'application/*',
  'nonsense',
]

/** Bodies in media types, charsets and codings that are not read, too large ones, and ones nobody reads. */
export function mediaCases(sample: Sample, bodyLimit: number): readonly BadCase[] {
  const { operation, body } = sample
  if (operation.body === null && operation.idempotency === 'none') return []
  const payload = JSON.stringify(body ?? {})
  const refused = (
    name: string,
    change: BadCase['change'],
    status: number,
    code: string,
    category: Category = 'media',
  ): BadCase => ({
    category,
    name,
    change,
    statuses: [status],
    code,
  })
  const withHeaders = (headers: Headers) => ({ payload, headers: { ...sample.headers, ...headers } })
  const unread = ['{"a":1}', '[]', '7', 'null', '"text"', 'true']
  return [
    ...mediaTypes.map((type) => refused(type, withHeaders({ 'content-type': type }), 415, 'UNSUPPORTED_MEDIA_TYPE')),
    refused('no media type', withHeaders({ 'content-type': undefined }), 415, 'UNSUPPORTED_MEDIA_TYPE'),
    ...['gzip', 'br', 'deflate', 'x-gzip', 'gzip, identity', 'nonsense'].map((coding) =>
      refused(`Content-Encoding ${coding}`, withHeaders({ 'content-encoding': coding }), 415, 'UNSUPPORTED_MEDIA_TYPE'),
    ),
    refused('a body over the limit', { payload: `{"a":"${'x'.repeat(bodyLimit)}"}` }, 413, 'PAYLOAD_TOO_LARGE'),
    refused('a body over the limit by one', { payload: '{}'.padEnd(bodyLimit + 1) }, 413, 'PAYLOAD_TOO_LARGE'),
    ...(operation.body
      ? []
      : unread.map((text) =>
          refused(`an unread body ${text}`, { payload: text }, 422, 'VALIDATION_FAILED', 'unknown'),
        )),
  ]
}
