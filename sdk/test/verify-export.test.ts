import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { test } from 'tap'
import { canonicalJson } from '../src/ledger/canonical.ts'
import { eventHash } from '../src/ledger/chain.ts'
import { openCheckpoint, readPublicKeys } from '../src/ledger/checkpoint.ts'
import { splitLines } from '../src/ledger/lines.ts'
import { verifyExport } from '../src/ledger/verify-export.ts'

/** The same file is held against the service's implementation. */
const vectors = JSON.parse(readFileSync(new URL('./ledger-vectors.json', import.meta.url), 'utf8'))
const exported: readonly string[] = vectors.export
const keys = await readPublicKeys(JSON.stringify(vectors.checkpoint.jwks))

async function* bytesOf(text: string, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const verify = (lines: readonly string[], kept: readonly string[] = []) =>
  verifyExport(splitLines(bytesOf(lines.map((line) => `${line}\n`).join(''))), keys, kept)

test('agrees with the service on canonical JSON, hashes and signatures', async (t) => {
  for (const { input, canonical } of vectors.canonical) t.equal(canonicalJson(JSON.parse(input)), canonical)
  for (const { event, previousHash, hash } of vectors.chain)
    t.equal(await eventHash(event, vectors.organizationId, previousHash), hash)
  t.same(await openCheckpoint(vectors.checkpoint.jws, keys), { checkpoint: vectors.checkpoint.signed })
  t.throws(() => canonicalJson(['\ud800']), RangeError)
  t.throws(() => canonicalJson(JSON.parse('1e999')), RangeError)
})

test('splits lines at \\n alone, wherever the bytes are cut', async (t) => {
  for (let size = 1; size < 9; size++) {
    const lines: string[] = []
    for await (const line of splitLines(bytesOf('a€\u2028b\r\n\n😀\u0085c', size))) lines.push(line)
    t.same(lines, ['a€\u2028b', '', '😀\u0085c'])
  }
})

test('verifies an export, and says how far and against which checkpoint', async (t) => {
  const { chain, checkpoint } = vectors
  t.match(await verify(exported), {
    from: 1,
    to: 3,
    verified: 3,
    head: chain[2].hash,
    checkpoints: 1,
    checkpoint: checkpoint.signed,
    firstProblem: null,
  })
})

test('names the first bad position of every line that was touched', async (t) => {
  const [header = '', one = '', two = '', three = ''] = exported
  const swapped = (text: string, from: string, to: string): string => {
    if (!text.includes(from)) throw new Error(`${from} is not there`)
    return text.replace(from, to)
  }
  const cases: readonly (readonly [string, readonly string[], number, string])[] = [
    ['edited', [header, one, swapped(two, '1e-7', '1e-8'), three], 2, 'altered'],
    ['spelled otherwise', [header, one, swapped(two, '1e-7', '0.0000001'), three], 2, 'unreadable'],
    ['a number that no double holds', [header, one, swapped(two, 'null', '1e999'), three], 2, 'unreadable'],
    ['a key twice', [header, one, swapped(two, '"rate"', '"notes":[],"rate"'), three], 2, 'unreadable'],
    ['no JSON', [header, one, two.slice(1), three], 2, 'unreadable'],
    ['null', [header, one, 'null', three], 2, 'unreadable'],
    ['deleted in the middle', [header, one, three], 2, 'missing'],
    ['deleted at the beginning', [header, two, three], 1, 'missing'],
    ['deleted at the end', [header, one, two], 3, 'missing'],
    ['all deleted', [header], 1, 'missing'],
    ['repeated', [header, one, one, two, three], 2, 'misplaced'],
    ['swapped', [header, two, one, three], 1, 'missing'],
    ['appended', [header, one, two, three, three], 4, 'misplaced'],
    ['the end cut off and the header with it', [swapped(header, '"to":3', '"to":1'), one], 2, 'missing'],
    ['another organization', [swapped(header, '"org_01jd0', '"org_01jd1'), one, two, three], 1, 'checkpointInvalid'],
  ]
  for (const [name, lines, position, kind] of cases)
    t.match((await verify(lines)).firstProblem, { position, kind }, name)
})

test('a chain that was made anew is found by its checkpoint, or by one that was kept', async (t) => {
  const { organizationId, checkpoint } = vectors
  const [header = '', ...lines] = exported
  let previousHash = '0'.repeat(64)
  const forged: string[] = []
  for (const line of lines) {
    const { hash: _hash, ...event } = JSON.parse(line)
    const edited = event.sequence === 1 ? { ...event, requestId: 'req_other' } : event
    previousHash = await eventHash(edited, organizationId, previousHash)
    forged.push(canonicalJson({ ...edited, hash: previousHash }))
  }
  t.match((await verify([header, ...forged])).firstProblem, { position: 2, kind: 'checkpointDiffers' })
  const bare = header.replace(`"${checkpoint.jws}"`, 'null')
  t.match(await verify([bare, ...forged]), { firstProblem: null, checkpoint: null }, 'nothing else could tell')
  t.match((await verify([bare, ...forged], [checkpoint.jws])).firstProblem, { position: 2, kind: 'checkpointDiffers' })
  t.match((await verify([bare, ...lines.slice(0, 1)], [checkpoint.jws])).firstProblem, { position: 2, kind: 'missing' })
})

test('a checkpoint that none of the given keys signed is refused', async (t) => {
  const { publicKey } = generateKeyPairSync('ed25519')
  const others = await readPublicKeys(publicKey.export({ type: 'spki', format: 'pem' }) as string)
  const { firstProblem } = await verifyExport(splitLines(bytesOf(exported.join('\n'))), others)
  t.match(firstProblem, { kind: 'checkpointInvalid', detail: /not given/ })
  const [head, body] = vectors.checkpoint.jws.split('.')
  for (const jws of [`${head}.${body}.AAAA`, 'x', '', null, 7, `${vectors.checkpoint.jws}.`])
    t.same(await openCheckpoint(jws, keys), { refusal: 'invalid' }, String(jws))
  await t.rejects(readPublicKeys('{"keys":[]}'), /no Ed25519/)
  await t.rejects(readPublicKeys('nothing'), /no Ed25519/)
})

test('purser-verify says what it found, and with its exit code', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'purser-verify-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const program = fileURLToPath(new URL('../src/bin/purser-verify.ts', import.meta.url))
  const run = (...values: readonly string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, ['--no-warnings', program, ...values], (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      )
    })
  const text = `${exported.join('\n')}\n`
  const whole = file('export.jsonl', text)
  const jwks = file('jwks.json', JSON.stringify(vectors.checkpoint.jwks))
  const kept = file('kept.jws', `${vectors.checkpoint.jws}\n`)
  const [good, packed, bad, without, help, absent, none] = await Promise.all([
    run(whole, '--public-key', jwks, '--checkpoint', kept),
    run(file('export.jsonl.gz', gzipSync(text)), '--public-key', jwks),
    run(file('bad.jsonl', text.replace('1e-7', '1e-8')), '--public-key', jwks),
    run(whole),
    run('--help'),
    run(join(folder, 'absent.jsonl'), '--public-key', jwks),
    run(jwks, '--public-key', jwks),
  ])
  const verified = `verified 3 events from 1 to 3, head ${vectors.chain[2].hash}`
  t.match(good, { code: 0, stderr: '' })
  t.match(good.stdout, verified)
  t.match(packed, { code: 0, stdout: good.stdout.split('\n')[0] })
  t.equal(bad.code, 1)
  t.match(bad.stdout, /^first bad position: 2 \(altered\): .*\nverified 1 events before it\n/)
  t.match(without, { code: 2, stderr: /^purser-verify: usage/ })
  t.match(help, { code: 0, stdout: /^usage: purser-verify/, stderr: '' })
  t.match(absent, { code: 2, stderr: /ENOENT/ })
  t.match(none, { code: 2, stderr: /not the header of a ledger export/ })
})
