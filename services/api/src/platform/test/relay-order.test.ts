import t from 'tap'
import { sortVersions, versionsBefore } from '#platform/relay/order.ts'
import type { LedgerRow } from '#platform/relay/rows.ts'

/** Rows such as `a2` or `b1@org_two`: version 2 of resource a, version 1 of resource b of another organization. */
const rowsOf = (text: string): LedgerRow[] =>
  text.split(' ').map((name) => {
    const [, resource = '', version, organization = 'org_one'] = /^([a-z])(\d)(?:@(.*))?$/.exec(name) ?? []
    return {
      id: name,
      organization_id: organization,
      resource_type: 'order',
      resource_id: resource,
      resource_version: Number(version),
    } as LedgerRow
  })

const cases: readonly [string, string, string][] = [
  ['what is in order stays', 'a1 b1 a2 b2', 'a1 b1 a2 b2'],
  ['two versions change places', 'a2 b1 a1', 'a1 b1 a2'],
  ['three come in order, others keep their places', 'a3 b1 a1 c1 a2 b2', 'a1 b1 a2 c1 a3 b2'],
  ['a gap is no disorder', 'a5 a2', 'a2 a5'],
  ['the same id elsewhere is another resource', 'a2 a1@org_two', 'a2 a1@org_two'],
  ['one', 'a1', 'a1'],
]
for (const [what, given, expected] of cases)
  t.test(what, async (t) => {
    const rows = rowsOf(given)
    t.same(
      sortVersions(rows).map(({ id }) => id),
      expected.split(' '),
    )
    t.same(rows, rowsOf(given), 'what was given is left as it was')
  })

const predecessors: readonly [string, string, string][] = [
  ['the version before the lowest', 'a5 a4 b1', 'a3'],
  ['a version between two that began before it', 'a1 a3 a6 a5', 'a2 a4'],
  ['one that two rows ask for is asked for once', 'a2 a2', 'a1'],
  ['those of another organization are others', 'a1 a2@org_two', 'a1@org_two'],
]
for (const [what, given, expected] of predecessors)
  t.test(`is looked for: ${what}`, async (t) => {
    const wanted = versionsBefore(rowsOf(given)).map(
      ({ id, version, organizationId }) => `${id}${version}${organizationId === 'org_one' ? '' : `@${organizationId}`}`,
    )
    t.same(wanted, expected.split(' '))
  })
