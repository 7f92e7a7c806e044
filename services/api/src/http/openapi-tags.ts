/** The resources, in the order in which the document and the Swagger UI show them. */
export const tags = [
  { name: 'me', description: 'The credential in use' },
  { name: 'organization', description: 'The tenant all data belongs to' },
  { name: 'apiKeys', description: 'Credentials of programs, with scopes' },
  { name: 'products', description: 'What is sold, with prices per currency' },
  { name: 'locations', description: 'Where stock is kept' },
  { name: 'stock', description: 'Stock levels and their movements' },
  { name: 'reservations', description: 'Stock that is promised, to orders or for a while' },
  { name: 'orders', description: 'Orders, from quote to cancellation' },
  { name: 'events', description: 'What happened, in one sequence without gaps' },
  { name: 'jobs', description: 'Work in the background' },
  { name: 'deadLetters', description: 'Jobs whose last attempt failed' },
  { name: 'webhookEndpoints', description: 'Receivers that events are sent to' },
  { name: 'webhookDeliveries', description: 'What was sent to them, and what came of it' },
  { name: 'audit', description: 'Proof that the ledger is what was recorded' },
]
