import { type Static, Type } from '@sinclair/typebox'
import { component } from '#platform/schema.ts'
import { closed, Id, Timestamp, Version } from '#platform/wire.ts'

const safe = { maximum: Number.MAX_SAFE_INTEGER }

export const Hash = Type.String({ pattern: '^[0-9a-f]{64}$', maxLength: 64, description: 'SHA-256, hexadecimal' })

/** A place in the organization's ledger; 0: before the first event. */
export const LedgerPosition = Type.Integer({ minimum: 0, ...safe, description: 'Position in the sequence' })

export const Checkpoint = component(
  'Checkpoint',
  Type.Object(
    {
      id: Id('cpt'),
      number: Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Without gaps from 1' }),
      sequence: LedgerPosition,
      hash: Hash,
      keyId: Type.String({ maxLength: 43, description: 'The `kid` of the key in /.well-known/jwks.json' }),
      jws: Type.String({
        maxLength: 2_048,
        pattern: '^[\\w-]+\\.[\\w-]+\\.[\\w-]+$',
        description:
          'Compact JWS (RFC 7515, EdDSA) over organizationId, id, number, sequence, hash, signedAt and the digest of the checkpoint before. Keep it where nobody who runs the database can reach it.',
      }),
      signedAt: Timestamp,
      version: Version,
    },
    closed,
  ),
)
export type Checkpoint = Static<typeof Checkpoint>

export const CheckpointParams = Type.Object({ checkpointId: Id('cpt') }, closed)
