import t from 'tap'
import { captureLog } from '#test/captured-log.ts'

t.test('secrets and personal fields are replaced, wherever they stand', async (t) => {
  const { log, take, raw } = captureLog()
  const secret = 'canary'
  const names = ['authorization', 'cookie', 'password', 'secret', 'token', 'apiKey', 'secretHash', 'email', 'phone']
  for (const name of [...names, 'customer', 'shippingAddress', 'billingAddress', 'notes', 'personal']) {
    log.info({ [name]: secret }, name)
    log.info({ outer: { [name]: secret } }, name)
    log.info({ outer: { inner: { [name]: { deep: secret } } } }, name)
    log.child({ [name]: secret }).info(name)
  }
  log.info({ req: { headers: { authorization: secret, cookie: secret } } }, 'request')
  t.notMatch(raw.join(''), secret)
  t.ok(take().every((line) => JSON.stringify(line).includes('[redacted]')))
})

t.test('an error is logged with its causes, without the values PostgreSQL quotes', async (t) => {
  const { log, take } = captureLog()
  const cause = Object.assign(new Error('null value in column "title"'), {
    code: '23502',
    constraint: 'products_title',
    detail: 'Failing row contains (canary)',
    where: 'JSON data, line 1: canary',
    internalQuery: `select 'canary'`,
  })
  log.error({ err: new Error('placing failed', { cause }) }, 'failed')
  log.error({ err: cause }, 'failed')
  const [outer, inner] = take()
  t.match(outer, {
    level: 'error',
    err: { message: 'placing failed: null value in column "title"', stack: /caused by/ },
  })
  t.match(inner, { err: { code: '23502', constraint: 'products_title', stack: /logger\.test/ } })
  t.notMatch(JSON.stringify([outer, inner]), 'canary')
})

t.test('the level is a word, the time is UTC, and lines below the level are left out', async (t) => {
  const { log, take } = captureLog('warn')
  log.info('not this')
  log.warn('this')
  const lines = take()
  t.equal(lines.length, 1)
  t.match(lines[0], {
    level: 'warn',
    message: 'this',
    time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    'process.pid': process.pid,
  })
})
