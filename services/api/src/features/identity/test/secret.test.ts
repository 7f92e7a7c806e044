import { hash } from 'node:crypto'
import t from 'tap'
import { hashOfPresented, newSecret } from '../secret.ts'

t.test('a secret tells its mode, is found by its hash, and shows only its end', async (t) => {
  for (const mode of ['live', 'test'] as const) {
    const { secret, secretHash, hint } = newSecret(mode)
    t.match(secret, new RegExp(`^sk_${mode}_[0-9A-Za-z]{46}$`))
    t.equal(secretHash, hash('sha256', secret, 'hex'))
    t.equal(hashOfPresented(secret), secretHash)
    t.equal(hint, `sk_${mode}_…${secret.slice(-4)}`)
  }
})

t.test('secrets never repeat', async (t) => {
  t.equal(new Set(Array.from({ length: 1_000 }, () => newSecret('live').secret)).size, 1_000)
})

t.test('what cannot be one of our keys is refused without a look-up', async (t) => {
  const { secret } = newSecret('live')
  const swapped = secret.slice(0, 10) + (secret[10] === 'a' ? 'b' : 'a') + secret.slice(11)
  const wrong = [
    '',
    'sk_live_',
    swapped,
    secret.slice(0, -1),
    `${secret}0`,
    ` ${secret}`,
    `${secret}\n`,
    secret.replace('sk_live', 'sk_test'),
    secret.replace('sk_', 'pk_'),
    secret.toUpperCase(),
  ]
  for (const presented of wrong) t.equal(hashOfPresented(presented), null, JSON.stringify(presented))
})

t.test('every single mistyped character is noticed', async (t) => {
  const { secret } = newSecret('test')
  for (let index = 8; index < secret.length; index++) {
    const typo = secret.slice(0, index) + (secret[index] === 'Z' ? 'Y' : 'Z') + secret.slice(index + 1)
    t.equal(hashOfPresented(typo), null, `at ${index}`)
  }
})
