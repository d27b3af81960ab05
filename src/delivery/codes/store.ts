import { type RawBuilder, sql } from 'kysely';
import type { KeptElsewhere } from '../types.ts';

/**
 * Who keeps the code of the messages with this reference, as a value of a select. A message that surely never went out
 * counts for nothing; one that may have gone out does.
 */
export const keptElsewhere = (reference: RawBuilder<string>): RawBuilder<KeptElsewhere | null> => sql`(
  select jsonb_build_object(
    'ours', bool_or(not m.keeps_code),
    'by', jsonb_agg(
      jsonb_build_object('message', m.id, 'provider', m.provider_id, 'sealed', m.to_sealed)
      order by m.created_at desc
    ) filter (where m.keeps_code)
  )
  from messages m
  where m.reference = ${reference} and m.status in ('sending', 'accepted', 'unknown')
  having bool_or(m.keeps_code)
)`;
