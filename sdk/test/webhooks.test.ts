import { randomBytes } from 'node:crypto'
import { PurserError } from '@purser/sdk'
import { signWebhook } from '@purser/sdk/testing'
import { type VerifyOptions, verifyWebhook, type WebhookDelivery, WebhookSignatureError } from '@purser/sdk/webhooks'
import { Webhook } from 'standardwebhooks'
import { type Test, test } from 'tap'

/** Of the published vector. */
const secret = `whsec_${'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'}`
const event = { id: 'evt_1', type: 'order.placed', data: { note: 'naïve 🧾' } }
const newSecret = (length = 32) => `whsec_${randomBytes(length).toString('base64')}`

/** The error's reason, or what went wrong with the refusal. */
async function reasonOf(delivery: Request | WebhookDelivery, options: VerifyOptions = { secret }): Promise<string> {
  return verifyWebhook(delivery, options).then(
    () => 'accepted',
    (error: unknown) => (WebhookSignatureError.is(error) ? error.reason : `threw ${String(error)}`),
  )
}

async function resigned(headers: Readonly<Record<string, string | undefined>>, at = new Date()) {
  const signed = await signWebhook(event, { secret, at })
  return { body: signed.body, headers: { ...signed.headers, ...headers } }
}

/** The moment of the published vector, for code that asks for the time. */
function at(t: Test, ms: number): void {
  const { now } = Date
  Date.now = () => ms
  t.teardown(() => {
    Date.now = now
  })
}

test('agrees with the published vector', async (t) => {
  at(t, 1_614_265_330_000)
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }
  const body = '{"test": 2432232314}'
  t.same(await verifyWebhook({ body, headers }, { secret }), { test: 2_432_232_314 })
  t.same(await verifyWebhook({ body, headers }, { secret: secret.slice(6) }), { test: 2_432_232_314 }, 'no prefix')
  const signed = await signWebhook(body, { secret, id: headers['webhook-id'] })
  t.match(signed.headers, headers)
  const others = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='
  const listed = { ...headers, 'webhook-signature': `${others} v2,AAAA ${headers['webhook-signature']} ${others}` }
  t.same(await verifyWebhook({ body, headers: listed }, { secret }), { test: 2_432_232_314 }, 'one of several')
})

test('takes a body in any form that keeps its bytes', async (t) => {
  const { body, headers } = await signWebhook(event, { secret })
  const bytes = new TextEncoder().encode(body)
  const forms: Readonly<Record<string, Request | WebhookDelivery>> = {
    'a string': { body, headers },
    bytes: { body: bytes, headers },
    'a Buffer': { body: Buffer.from(body), headers },
    'part of a larger buffer': { body: Buffer.concat([Buffer.from('x'), bytes]).subarray(1), headers },
    'an ArrayBuffer': { body: bytes.buffer, headers },
    'a Request': new Request('http://127.0.0.1/', { method: 'POST', body, headers }),
    'a Headers': { body, headers: new Headers(headers) },
    'headers in capitals': {
      body,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value])),
    },
    'headers in lists': {
      body,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    },
  }
  for (const [name, delivery] of Object.entries(forms)) t.same(await verifyWebhook(delivery, { secret }), event, name)
})

test('while a secret is rotated, the current and the previous one are good', async (t) => {
  const [current, previous, other] = [newSecret(), newSecret(24), newSecret(64)]
  const signed = await signWebhook(event, { secret: previous })
  t.same(await verifyWebhook(signed, { secret: [current, previous] }), event)
  t.same(await verifyWebhook(signed, { secret: [previous, current] }), event)
  t.same(await verifyWebhook(signed, { secret: [previous, undefined] }), event, 'before there was another')
  t.equal(await reasonOf(signed, { secret: [current, other] }), 'noMatch')
  const both = await signWebhook(event, { secret: current })
  const signatures = [signed, both].map(({ headers }) => headers['webhook-signature']).join(' ')
  const delivery = { ...both, headers: { ...both.headers, 'webhook-signature': signatures } }
  for (const known of [current, previous]) t.same(await verifyWebhook(delivery, { secret: known }), event)
})

test('says why it refuses', async (t) => {
  const good = await resigned({})
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
    for (const value of [undefined, ''])
      t.equal(await reasonOf(await resigned({ [name]: value })), 'missingHeader', `${name} ${value}`)
  for (const timestamp of ['now', '1e9', '-1', '1614265330.5', '0x10', '9'.repeat(13), ' 1614265330'])
    t.equal(await reasonOf(await resigned({ 'webhook-timestamp': timestamp })), 'badTimestamp', timestamp)
  const minutes = (count: number) => resigned({}, new Date(Date.now() + count * 60_000))
  t.equal(await reasonOf(await minutes(-5.1)), 'tooOld')
  t.equal(await reasonOf(await minutes(5.1)), 'tooNew')
  t.equal(await reasonOf(await minutes(-4.9)), 'accepted')
  t.equal(await reasonOf(await minutes(-60), { secret, toleranceMs: 3_700_000 }), 'accepted')
  t.equal(await reasonOf(await minutes(-1), { secret, toleranceMs: 1_000 }), 'tooOld')
  const signature = good.headers['webhook-signature'] ?? ''
  const wrong = ['v1,', 'v1', signature.slice(3), signature.slice(0, 8), `${signature}=`, signature.replace('v1', 'v2')]
  for (const text of [...wrong, `v1,${'A'.repeat(43)}=`, signature.toLowerCase(), 'v1,dawfeoifkpqwoekfpqoekf'])
    t.equal(await reasonOf(await resigned({ 'webhook-signature': text })), 'noMatch', text)
  t.equal(await reasonOf(await resigned({ 'webhook-id': 'evt_2' })), 'noMatch', 'another id')
  t.equal(await reasonOf({ ...good, body: `${good.body} ` }), 'noMatch', 'a space more')
  t.equal(await reasonOf(good, { secret: newSecret() }), 'noMatch')
})

test('tells the mistakes of the receiver from an attack', async (t) => {
  const { body, headers } = await signWebhook(event, { secret })
  for (const parsed of [JSON.parse(body), undefined, null, 7]) {
    const delivery = { body: parsed, headers } as unknown as WebhookDelivery
    t.equal(await reasonOf(delivery), 'parsedBody', String(parsed))
  }
  const request = new Request('http://127.0.0.1/', { method: 'POST', body, headers })
  await request.json()
  t.equal(await reasonOf(request), 'parsedBody')
  const none = [undefined, '', [], [undefined], ['', undefined]]
  for (const bad of [
    ...none,
    'whsec_',
    'secret',
    'whsec_short',
    `${secret}=`,
    `${secret}_`,
    [secret, 'x'],
    newSecret(23),
  ])
    t.equal(await reasonOf({ body, headers }, { secret: bad }), 'badSecret', JSON.stringify(bad))
  await t.rejects(signWebhook(event, { secret: 'whsec_' }), { code: 'INVALID_CONFIGURATION' })
})

test('the error is one of the package and holds neither body nor secret', async (t) => {
  const { body, headers } = await signWebhook(event, { secret })
  const error: unknown = await verifyWebhook({ body, headers }, { secret: newSecret() }).catch((caught) => caught)
  t.ok(PurserError.is(error, 'WEBHOOK_REFUSED'))
  t.match(error, { name: 'WebhookSignatureError', message: /^verifyWebhook: WEBHOOK_REFUSED noMatch: / })
  const told = JSON.stringify(error, Object.getOwnPropertyNames(error))
  for (const hidden of ['whsec_', 'order.placed', headers['webhook-signature'] ?? '']) t.notOk(told.includes(hidden))
})

test('agrees with the library of the standard, both ways, whatever is sent', async (t) => {
  for (let round = 0; round < 200; round++) {
    const key = newSecret(24 + (round % 41))
    const text = JSON.stringify({ id: `evt_${round}`, text: randomBytes(round).toString('latin1'), round })
    const theirs = new Webhook(key)
    const ours = await signWebhook(text, { secret: key, id: `evt_${round}` })
    t.same(theirs.verify(ours.body, { ...ours.headers }), JSON.parse(text), 'ours is good for theirs')
    const sentAt = new Date()
    const headers = {
      'webhook-id': `evt_${round}`,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
      'webhook-signature': theirs.sign(`evt_${round}`, sentAt, text),
    }
    t.same(await verifyWebhook({ body: text, headers }, { secret: key }), JSON.parse(text), 'theirs is good for ours')
    const tampered = text.replace(`${round}}`, `${round + 1}}`)
    t.equal(await reasonOf({ body: tampered, headers }, { secret: key }), 'noMatch')
    t.throws(() => theirs.verify(tampered, { ...ours.headers }))
  }
})
