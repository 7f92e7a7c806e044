import { eventJson } from '#features/ledger/index.ts'
import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import { ReadyJson } from '#platform/ready-json.ts'
import type { View } from '#platform/work.ts'
import { chainedEvent, type StoredContent, type StoredEvent } from './check-event.ts'
import { requireWholeLedger } from './range.ts'
import { selectEntries } from './repository.ts'
import type { EntryFilter } from './schemas.ts'

/** An event as it was written down, with the hash of the one before it; null: that one is gone. */
export type Entry = StoredEvent & { readonly content: StoredContent; readonly previous_hash: string | null }

/** Who did what and when, newest first, with what proves it. */
export async function listEntries(view: View, filter: EntryFilter, page: PageRequest): Promise<Page<ReadyJson>> {
  requireWholeLedger(view.actor)
  return toPage(await selectEntries(view, filter, page), page, ({ sequence }) => [sequence], presentEntry)
}

/** The event byte by byte as every other reader gets it. */
function presentEntry(entry: Entry): ReadyJson {
  const { content, hash, previous_hash: previousHash } = entry
  const { personalDigest, ...event } = chainedEvent(entry, content)
  const proof = JSON.stringify({ hash: hash.toString('hex'), previousHash, personalDigest })
  return new ReadyJson(`{"event":${eventJson(event)},${proof.slice(1)}`)
}
