/** On which the relay hears that rows have been committed. */
export const ledgerChannel = 'purser_ledger'

/** On which the relay tells the newest sequences by organization, `{"org_…":7}`. */
export const eventsChannel = 'purser_events'
