/** On which the relay hears that rows have been committed. */
export const ledgerChannel = 'purser_ledger'

/**
 * Least time from batch to batch, and from signal to signal: what ends meanwhile shares one, and so its transaction and
 * its wait for the disk.
 */
export const batchRestMs = 20

/** On which the relay tells the newest sequences by organization, `{"org_…":7}`. */
export const eventsChannel = 'purser_events'
